import Crest
import CrestPlugins

/// Runs a campaign on plugins that `script/campaign` has built: `faults FOLDER COUNT SEED`, `children FOLDER COUNT`,
/// `children-control FOLDER`, or `cost FOLDER…`.
let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "faults" where arguments.count == 4:
  let words = Array(arguments)
  guard let count = Int(words[2]), let seed = UInt64(words[3]) else {
    fatalError("faults FOLDER COUNT SEED")
  }
  try FaultCampaign(folder: words[1]).run(count: count, seed: seed)
case "children" where arguments.count == 3:
  let words = Array(arguments)
  guard let count = Int(words[2]) else { fatalError("children FOLDER COUNT") }
  try ChildCampaign(folder: words[1]).run(count: count)
case "children-control" where arguments.count == 2:
  try ChildCampaign(folder: Array(arguments)[1]).control()
case "child-trainer" where arguments.count == 4:
  let words = Array(arguments)
  try ChildCampaign(folder: words[1]).trainUntilKilled(words[2], words[3])
case "cost" where arguments.count >= 2:
  let folders = arguments.dropFirst()
  if let first = folders.first { try CostCampaign.runWithoutPlugins(first) }
  for folder in folders { try CostCampaign.run(folder) }
default:
  fatalError(
    "expected faults FOLDER COUNT SEED, children FOLDER COUNT, children-control FOLDER, or cost FOLDER…"
  )
}
