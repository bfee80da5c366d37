@_exported import CrestPluginHost
