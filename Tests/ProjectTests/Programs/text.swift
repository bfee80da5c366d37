// A language model, from its text to a text of its own.
import Crest

reportingErrors {
  let data = try TextFile("book.txt", length: 32).split()
  let model = try TextModel.make("gpt", for: data)
  let learner = try Learner(model, data: data, optimizer: AdamW(), metrics: [Accuracy()])
  try learner.fitOneCycle(epochs: 2, maxLR: 3e-3)
  print(try TextWriter(model).text(after: "the ", length: 40, topCount: 5, seed: 1))
}
