import Crest
import CrestPlugins

/// Runs a campaign on plugins that `script/campaign` has built (`faults FOLDER COUNT SEED`, `children FOLDER COUNT`,
/// `children-control FOLDER`, `cost FOLDER…`), or that it builds itself (`misbehaviours` and `mutations COUNT SEED
/// [--control]`).
let words = Array(CommandLine.arguments.dropFirst())
let rest = Array(words.dropFirst())
switch (words.first, rest.count) {
case ("faults", 3):
  guard let count = Int(rest[1]), let seed = UInt64(rest[2]) else {
    fatalError("faults FOLDER COUNT SEED")
  }
  try FaultCampaign(folder: rest[0]).run(count: count, seed: seed)
case ("children", 2):
  guard let count = Int(rest[1]) else { fatalError("children FOLDER COUNT") }
  try ChildCampaign(folder: rest[0]).run(count: count)
case ("children-control", 1): try ChildCampaign(folder: rest[0]).control()
case ("cost", 1...):
  try CostCampaign.runWithoutPlugins(rest[0])
  for folder in rest { try CostCampaign.run(folder) }
case ("misbehaviours", 2...3), ("mutations", 2...3):
  guard let count = Int(rest[0]), let seed = UInt64(rest[1]),
    rest.count == 2 || rest[2] == "--control"
  else { fatalError("\(words[0]) COUNT SEED [--control]") }
  let isControl = rest.count == 3
  if words[0] == "mutations" {
    try MutationCampaign(control: isControl).run(count: count, seed: seed)
  } else if isControl {
    try MisbehaviourCampaign().control()
  } else {
    try MisbehaviourCampaign().run(count: count, seed: seed)
  }
// What they start as processes of their own.
case ("child-trainer", 3): try ChildCampaign(folder: rest[0]).trainUntilKilled(rest[1], rest[2])
case ("misbehave", 5): try MisbehaviourCampaign.once(rest)
case ("misbehave-alone", 2): MisbehaviourCampaign.alone(rest)
case ("mutate", 5):
  guard let first = Int(rest[1]), let last = Int(rest[2]), let seed = UInt64(rest[3]) else {
    fatalError("mutate LIBRARY FIRST LAST SEED rehearse|control")
  }
  try MutationCampaign.trainer(
    rest[0], first, last, seed: seed, rehearses: rest[4] == "rehearse")
default:
  fatalError(
    "expected faults FOLDER COUNT SEED, children FOLDER COUNT, children-control FOLDER, cost FOLDER…, "
      + "misbehaviours or mutations COUNT SEED [--control]"
  )
}
