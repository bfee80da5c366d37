import Foundation
import ProcessSupport

/// A plugin in a process of its own, which answers and does nothing.
enum Watch {
  private static let script = #"""
    #!/bin/sh
    read -r line
    printf '{"crest":1,"cookie":"%s","identifier":"Watch","version":"1.0.0","hooks":["afterEpoch"],"replies":["afterEpoch"]}\n' "$CREST_PLUGIN_COOKIE"
    while read -r line; do
      case $line in
      '{"event":'*)
        number=${line#*:}
        number=${number%%[,\}]*}
        case $line in
        *'"save":true'*) printf '{"event":%s,"state":"AQ=="}\n' "$number" ;;
        *) printf '{"event":%s}\n' "$number" ;;
        esac
        ;;
      esac
    done
    """#

  /// Its files and its lock, by their paths in a folder.
  static func install(in folder: TemporaryFolder, crest: Executable) throws -> [String: [UInt8]] {
    let path = try folder.write(script + "\n", to: "Watch/watch.sh")
    let digest = try Executable.env.run(["sha256sum", path])
    let manifest = """
      {"format":1,"identifier":"Watch","version":"1.0.0","summary":"For a campaign.","kind":"process",
      "interface":{"from":"1.0","below":"2.0"},"file":"watch.sh","sha256":"\(digest.output.prefix(64))",
      "permissions":[],"configuration":{},"interpreter":["/bin/sh"],"limits":{"answer_seconds":5}}
      """
    try folder.write(manifest, to: "Watch/crest-plugin.json")
    let lock = try crest.run(["plugins", "lock", "./Watch"], in: folder.url)
    guard lock.status == 0 else {
      throw CampaignFailure("the plugin can't be locked: \(lock.error)")
    }
    var files: [String: [UInt8]] = [:]
    for name in ["Watch/watch.sh", "Watch/crest-plugin.json", "crest-plugins.lock"] {
      files[name] = Array(try Data(contentsOf: folder[name]))
    }
    return files
  }
}
