/// How something with settings is written, for help: as in `huber:delta=x`.
package func usage(of name: String, _ settings: [(name: String, placeholder: String)]) -> String {
  let usages = settings.map { "\($0.name)=\($0.placeholder)" }
  return usages.isEmpty ? name : name + ":" + usages.joined(separator: ",")
}
