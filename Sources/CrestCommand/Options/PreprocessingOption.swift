public import ArgumentParser
public import Crest

extension PreprocessingChoice: ExpressibleByArgument {}
