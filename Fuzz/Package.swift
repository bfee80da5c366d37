// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

// The readers of others' files under libFuzzer, which brings its own `main`: a package of its own, since a program
// without one can be linked with `--sanitize fuzzer` only.
let package = Package(
  name: "crest-fuzz",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "reader-fuzzer", targets: ["ReaderFuzzer"])],
  dependencies: [.package(url: "https://github.com/apple/swift-crypto", from: "4.5.0")],
  targets: [
    // Links to the targets of these names in the package of Crest.
    .target(name: "CrestPlatform", swiftSettings: strict),
    .target(name: "CCrestFiles"),
    .target(
      name: "CrestFiles", dependencies: ["CrestPlatform", "CCrestFiles"], swiftSettings: strict),
    .target(name: "CCrestKernels"),
    .target(name: "CrestTensor", swiftSettings: strict),
    .target(
      name: "CrestGraph", dependencies: ["CrestTensor", "CrestPlatform"], swiftSettings: strict),
    .target(
      name: "CrestRuntime",
      dependencies: ["CrestGraph", "CrestTensor", "CrestPlatform", "CCrestKernels"],
      swiftSettings: strict),
    .target(
      name: "CrestLayers",
      dependencies: ["CrestRuntime", "CrestGraph", "CrestTensor", "CrestPlatform"],
      swiftSettings: strict),
    .target(
      name: "CrestOptimizers",
      dependencies: ["CrestRuntime", "CrestGraph", "CrestTensor", "CrestPlatform"],
      swiftSettings: strict),
    .target(
      name: "CrestState",
      dependencies: ["CrestLayers", "CrestRuntime", "CrestGraph", "CrestTensor", "CrestFiles"],
      swiftSettings: strict),
    .systemLibrary(name: "CZlib"),
    .target(name: "CCrestDigits", exclude: ["digits.csv.gz", "README.md"]),
    .target(
      name: "CrestData",
      dependencies: ["CrestTensor", "CrestFiles", "CrestPlatform", "CCrestDigits", "CZlib"],
      swiftSettings: strict),
    .target(
      name: "CrestTraining",
      dependencies: [
        "CrestState", "CrestData", "CrestLayers", "CrestOptimizers", "CrestRuntime", "CrestGraph",
        "CrestTensor", "CrestFiles", "CrestPlatform",
      ], swiftSettings: strict),
    .target(
      name: "CrestCallbacks",
      dependencies: [
        "CrestTraining", "CrestState", "CrestData", "CrestLayers", "CrestOptimizers",
        "CrestRuntime", "CrestGraph", "CrestTensor", "CrestFiles", "CrestPlatform",
      ], swiftSettings: strict),
    .target(
      name: "CrestONNX",
      dependencies: [
        "CrestLayers", "CrestRuntime", "CrestGraph", "CrestTensor", "CrestFiles", "CrestPlatform",
      ], swiftSettings: strict),
    .target(name: "CCrestPlugin"),
    .target(name: "CCrestPluginHost", dependencies: ["CCrestPlugin"]),
    .target(
      name: "CrestPluginHost",
      dependencies: [
        "CrestTraining", "CrestLayers", "CrestOptimizers", "CrestRuntime", "CrestGraph",
        "CrestTensor", "CrestFiles", "CrestPlatform", "CCrestPlugin", "CCrestPluginHost",
        .product(name: "Crypto", package: "swift-crypto"),
      ], swiftSettings: strict),
    .target(
      name: "ONNXTestSupport",
      dependencies: ["CrestONNX", "CrestLayers", "CrestRuntime", "CrestGraph", "CrestTensor"],
      swiftSettings: strict),
    .target(
      name: "TrainingTestSupport",
      dependencies: [
        "CrestTraining", "CrestState", "CrestData", "CrestLayers", "CrestOptimizers",
        "CrestRuntime", "CrestGraph", "CrestTensor", "CrestFiles",
      ], swiftSettings: strict),
    .target(
      name: "ReaderFuzzing",
      dependencies: [
        "ONNXTestSupport", "TrainingTestSupport", "CZlib", "CrestCallbacks", "CrestData",
        "CrestFiles",
        "CrestLayers", "CrestONNX", "CrestOptimizers", "CrestPluginHost", "CrestState",
        "CrestTensor",
        "CrestTraining",
      ], swiftSettings: strict),
    .executableTarget(
      name: "ReaderFuzzer", dependencies: ["ONNXTestSupport", "ReaderFuzzing"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
