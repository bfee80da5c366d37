import CrestGraph

extension FusedElementwise {
  /// A sum of at most two inputs, masked or not: what joins gradients.
  ///
  /// Numbers are places among the inputs.
  fileprivate var gradientPattern: (terms: [Int], mask: Int?)? {
    func input(_ operand: Operand) -> Int? {
      if case .input(let number) = operand { number } else { nil }
    }
    func sum(_ instruction: Instruction) -> [Int]? {
      let terms = instruction.operands.compactMap(input)
      return instruction.function == .add && terms.count == 2 ? terms : nil
    }
    switch instructions.count {
    case 1 where instructions[0].function == .reluMask:
      let operands = instructions[0].operands.compactMap(input)
      return operands.count == 2 ? ([operands[0]], operands[1]) : nil
    case 1: return sum(instructions[0]).map { ($0, nil) }
    case 2 where instructions[1].function == .reluMask:
      guard instructions[1].operands[0] == .result(0),
        let mask = input(instructions[1].operands[1]),
        let terms = sum(instructions[0])
      else { return nil }
      return (terms, mask)
    default: return nil
    }
  }
}

extension NodeMerging {
  /// Lets the convolution that makes one of two gradients add the other and mask the sum.
  mutating func joinGradients(_ number: Int, _ node: Graph.Node) {
    guard let chain = node.operation as? FusedElementwise, let pattern = chain.gradientPattern,
      node.inputs.allSatisfy({ graph.type(of: $0) == chain.type })
    else { return }
    let makers = pattern.terms.compactMap { term -> (term: Int, Int, FusedConvolution)? in
      let value = node.inputs[term]
      guard readers(of: value) == [number], !isWanted(value),
        let (maker, operation) = convolution(making: value, in: node.stage), operation.isPlain
      else { return nil }
      return (term, maker, operation)
    }
    // The later one, by which time the other gradient is there.
    guard case (let term, let maker, var operation)? = makers.max(by: { $0.1 < $1.1 }) else {
      return
    }
    let addends = pattern.terms.filter { $0 != term }.map { node.inputs[$0] }
    let masks = pattern.mask.map { [node.inputs[$0]] } ?? []
    guard areReady(addends + masks, before: maker) else { return }
    let (inputs, outputs) = (self[maker].inputs, self[maker].outputs)
    if !addends.isEmpty { operation.addend = inputs.count }
    if !masks.isEmpty { operation.mask = FusedImage(at: inputs.count + addends.count) }
    remove(number)
    replace(
      maker, by: operation, inputs + addends + masks, node.outputs + outputs.dropFirst())
  }
}
