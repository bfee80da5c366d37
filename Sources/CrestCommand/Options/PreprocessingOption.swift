public import ArgumentParser
public import Crest

extension Preprocessing.Choice: ExpressibleByArgument {}
