public import ArgumentParser
public import Crest

extension LearningRateEstimate.Form: ExpressibleByArgument {}
