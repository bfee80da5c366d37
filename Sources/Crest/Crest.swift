@_exported import CrestCallbacks
@_exported import CrestData
@_exported import CrestGraph
@_exported import CrestLayers
@_exported import CrestOptimizers
@_exported import CrestRuntime
@_exported import CrestTensor
@_exported import CrestTraining
