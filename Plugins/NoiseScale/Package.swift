// swift-tools-version: 6.2
import PackageDescription

// The interface and its Swift face are links here; `crest plugins new` makes copies.
let package = Package(
  name: "NoiseScale",
  products: [.library(name: "NoiseScale", type: .dynamic, targets: ["NoiseScale"])],
  targets: [
    .target(name: "CCrestPlugin"),
    .target(name: "CrestPluginSDK", dependencies: ["CCrestPlugin"]),
    .target(name: "GradientNoise"),
    .target(name: "NoiseScale", dependencies: ["CrestPluginSDK", "GradientNoise"]),
    .testTarget(name: "GradientNoiseTests", dependencies: ["GradientNoise"]),
  ],
  swiftLanguageModes: [.v6]
)
