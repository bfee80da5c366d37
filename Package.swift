// swift-tools-version: 6.2
import PackageDescription

/// Language rules that every Swift target of the package follows.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "crest",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Crest", targets: ["Crest"]),
    // Brings swift-crypto; the command has it.
    .library(name: "CrestPlugins", targets: ["CrestPlugins"]),
    // Brings libjpeg-turbo and libpng; the command has it.
    .library(name: "CrestImages", targets: ["CrestImages"]),
    .executable(name: "crest", targets: ["CrestCommand"]),
    // What the benchmarks measure, and how they start processes; they are a package of their own.
    .library(name: "CrestTestSupport", targets: ["CrestTestSupport", "ProcessSupport"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
  ],
  targets: [
    // The system
    .target(name: "CrestPlatform", swiftSettings: strict),
    .target(name: "CCrestFiles"),
    .target(
      name: "CrestFiles", dependencies: ["CrestPlatform", "CCrestFiles"], swiftSettings: strict),

    // Engine
    .target(name: "CCrestKernels"),
    .target(name: "CrestTensor", swiftSettings: strict),
    .target(
      name: "CrestGraph", dependencies: ["CrestTensor", "CrestPlatform"], swiftSettings: strict),
    .target(
      name: "CrestRuntime",
      dependencies: ["CrestGraph", "CrestTensor", "CrestPlatform", "CCrestKernels"],
      swiftSettings: strict),

    // Training
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
      dependencies: [
        "CrestLayers", "CrestRuntime", "CrestGraph", "CrestTensor", "CrestFiles",
      ], swiftSettings: strict),
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

    // Data
    .systemLibrary(
      name: "CZlib", providers: [.apt(["zlib1g-dev"]), .yum(["zlib-devel"]), .brew(["zlib"])]),
    .target(name: "CCrestDigits", exclude: ["digits.csv.gz", "README.md"]),
    .target(name: "CCrestPixels"),
    .target(
      name: "CrestData",
      dependencies: [
        "CrestTensor", "CrestFiles", "CrestPlatform", "CCrestDigits", "CCrestPixels", "CZlib",
      ],
      swiftSettings: strict),

    .target(
      name: "CCrestImages",
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png16")]),
    .target(
      name: "CrestImages",
      dependencies: ["CrestData", "CrestTensor", "CrestFiles", "CCrestImages", "CCrestPixels"],
      swiftSettings: strict),

    // ONNX
    .target(
      name: "CrestONNX",
      dependencies: [
        "CrestLayers", "CrestRuntime", "CrestGraph", "CrestTensor", "CrestFiles", "CrestPlatform",
      ],
      swiftSettings: strict),

    // Plugins
    .target(name: "CCrestPlugin"),
    .target(name: "CrestPluginSDK", dependencies: ["CCrestPlugin"], swiftSettings: strict),
    .target(name: "CCrestPluginHost", dependencies: ["CCrestPlugin"]),
    .target(
      name: "CrestPluginHost",
      dependencies: [
        "CrestTraining", "CrestLayers", "CrestOptimizers", "CrestRuntime", "CrestGraph",
        "CrestTensor", "CrestFiles", "CrestPlatform", "CCrestPlugin", "CCrestPluginHost",
        .product(name: "Crypto", package: "swift-crypto"),
      ], swiftSettings: strict),

    // What users import and run
    .target(
      name: "Crest",
      dependencies: [
        "CrestCallbacks", "CrestData", "CrestGraph", "CrestLayers", "CrestONNX", "CrestOptimizers",
        "CrestRuntime", "CrestState", "CrestTensor", "CrestTraining",
      ], swiftSettings: strict),
    .target(name: "CrestPlugins", dependencies: ["CrestPluginHost"], swiftSettings: strict),
    .executableTarget(
      name: "CrestCommand",
      dependencies: [
        "Crest", "CrestFiles", "CrestImages", "CrestPlatform", "CrestPlugins",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], resources: [.embedInCode("Templates")], swiftSettings: strict),

    // Examples
    .executableTarget(
      name: "digits-example", dependencies: ["Crest"], path: "Examples/digits",
      swiftSettings: strict),
    .executableTarget(
      name: "airbench94-example", dependencies: ["Crest"], path: "Examples/airbench94",
      swiftSettings: strict),
    .executableTarget(
      name: "callback-example", dependencies: ["Crest"], path: "Examples/callback",
      swiftSettings: strict),
    .executableTarget(
      name: "recipes", dependencies: ["Crest"], path: "Examples/recipes", swiftSettings: strict),

    // Campaigns
    .executableTarget(
      name: "plugin-campaign",
      dependencies: [
        "CCrestPluginHost", "Crest", "CrestPlugins", "AllocationCounter", "ProcessSupport",
      ], path: "Campaigns/plugins",
      exclude: ["chaos.c", "cost.c", "misbehave.c"], swiftSettings: strict),
    .executableTarget(
      name: "compile-campaign",
      dependencies: ["CrestGraph", "CrestLayers", "CrestRuntime", "CrestTensor"],
      path: "Campaigns/Compiling", swiftSettings: strict),
    .executableTarget(
      name: "onnx-campaign",
      dependencies: [
        "CrestLayers", "CrestONNX", "CrestRuntime", "CrestTensor", "ONNXTestSupport",
        "ProcessSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Campaigns/ONNX", swiftSettings: strict),
    .executableTarget(
      name: "file-campaign",
      dependencies: [
        "CrestONNX", "CrestState", "CrestTensor", "ONNXTestSupport", "ProcessSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Campaigns/FileChanges", swiftSettings: strict),
    .executableTarget(
      name: "state-campaign",
      dependencies: [
        "CrestCallbacks", "CrestData", "CrestLayers", "CrestOptimizers", "CrestRuntime",
        "CrestFiles", "CrestState", "CrestTensor", "CrestTraining", "ProcessSupport",
        "TrainingTestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Campaigns/RunState", swiftSettings: strict),
    .executableTarget(
      name: "training-campaign",
      dependencies: [
        "CrestCallbacks", "CrestData", "CrestLayers", "CrestOptimizers", "CrestRuntime",
        "CrestTensor", "CrestTraining", "ProcessSupport", "TrainingTestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Campaigns/Training", swiftSettings: strict),
    .executableTarget(
      name: "convergence-campaign",
      dependencies: [
        "CrestCallbacks", "CrestData", "ProcessSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Campaigns/SuperConvergence", exclude: ["mnist_pytorch.py"], swiftSettings: strict),

    // Tests
    .target(
      name: "CrestTestSupport", dependencies: ["CrestGraph", "CrestRuntime", "CrestTensor"],
      path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(
      name: "CCrestKernelsTests", dependencies: ["CCrestKernels"], swiftSettings: strict),
    .testTarget(
      name: "CrestFilesTests", dependencies: ["CrestFiles", "CrestPlatform", "ProcessSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CrestTensorTests", dependencies: ["CrestTensor"], swiftSettings: strict),
    .testTarget(
      name: "CrestGraphTests",
      dependencies: ["CrestGraph", "CrestTensor", "CrestTestSupport"],
      swiftSettings: strict),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(
      name: "CrestRuntimeTests",
      dependencies: [
        "AllocationCounter", "CrestGraph", "CrestRuntime", "CrestTensor", "CrestTestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CrestLayersTests",
      dependencies: ["CrestLayers", "CrestRuntime", "CrestGraph", "CrestTensor"],
      swiftSettings: strict),
    .testTarget(
      name: "CrestOptimizersTests",
      dependencies: [
        "AllocationCounter", "CrestOptimizers", "CrestRuntime", "CrestGraph", "CrestTensor",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ParityTests",
      dependencies: [
        "ProcessSupport", "TrainingTestSupport",
        "CrestCallbacks", "CrestData", "CrestLayers", "CrestONNX", "CrestOptimizers",
        "CrestRuntime", "CrestGraph", "CrestState", "CrestTensor", "CrestTestSupport",
        "CrestTraining",
      ],
      swiftSettings: strict),
    .target(
      name: "TrainingTestSupport",
      dependencies: [
        "CrestTraining", "CrestState", "CrestData", "CrestLayers", "CrestOptimizers",
        "CrestRuntime", "CrestGraph", "CrestTensor", "CrestFiles",
      ], path: "Tests/TrainingTestSupport", swiftSettings: strict),
    .testTarget(
      name: "CrestStateTests",
      dependencies: ["ProcessSupport", "TrainingTestSupport", "CrestState", "CrestTensor"],
      swiftSettings: strict),
    .testTarget(
      name: "CrestTrainingTests",
      dependencies: [
        "ProcessSupport", "TrainingTestSupport", "CrestTraining", "CrestState", "CrestData",
        "CrestLayers",
        "CrestOptimizers", "CrestRuntime", "CrestGraph", "CrestTensor",
      ], swiftSettings: strict),
    .testTarget(
      name: "CrestCallbacksTests",
      dependencies: [
        "AllocationCounter", "ProcessSupport", "TrainingTestSupport", "CrestCallbacks",
        "CrestTraining", "CrestState",
        "CrestData", "CrestFiles", "CrestLayers", "CrestONNX", "CrestOptimizers", "CrestRuntime",
        "CrestGraph", "CrestTensor",
      ],
      exclude: ["Snapshots"],
      swiftSettings: strict),
    .testTarget(
      name: "CrestDataTests",
      dependencies: ["CCrestPixels", "CrestData", "CrestTensor", "CZlib", "ProcessSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CrestImagesTests",
      dependencies: [
        "CrestData", "CrestImages", "CrestLayers", "CrestRuntime", "CrestTensor", "CrestTraining",
        "ProcessSupport", "TrainingTestSupport",
      ], swiftSettings: strict),
    .target(
      name: "ONNXTestSupport",
      dependencies: ["CrestONNX", "CrestLayers", "CrestRuntime", "CrestGraph", "CrestTensor"],
      path: "Tests/ONNXTestSupport", swiftSettings: strict),
    .testTarget(
      name: "ONNXTests",
      dependencies: [
        "ONNXTestSupport", "CrestFiles", "CrestGraph", "CrestLayers", "CrestONNX", "CrestPlatform",
        "CrestRuntime",
        "CrestTensor", "CrestTestSupport", "ProcessSupport",
      ], swiftSettings: strict),
    .testTarget(
      name: "ONNXConformanceTests",
      dependencies: ["CrestGraph", "CrestONNX", "CrestRuntime", "CrestTensor", "CrestTestSupport"],
      exclude: ["tier-1.txt"], swiftSettings: strict),
    .target(
      name: "ProcessSupport", path: "Tests/ProcessSupport", swiftSettings: strict),
    .target(
      name: "ReaderFuzzing",
      dependencies: [
        "ONNXTestSupport", "TrainingTestSupport", "CZlib", "CrestCallbacks", "CrestData",
        "CrestFiles", "CrestLayers", "CrestONNX", "CrestOptimizers", "CrestPluginHost",
        "CrestState", "CrestTensor", "CrestTraining",
      ], path: "Tests/ReaderFuzzing", swiftSettings: strict),
    .testTarget(
      name: "ReaderFuzzingTests",
      dependencies: ["CrestPluginHost", "ONNXTestSupport", "ReaderFuzzing"],
      swiftSettings: strict),
    .testTarget(
      name: "ONNXCheckTests",
      dependencies: [
        "ProcessSupport", "CrestLayers", "CrestONNX", "CrestRuntime", "CrestTensor",
      ], swiftSettings: strict),
    .testTarget(
      name: "CrestPluginHostTests",
      dependencies: [
        "ProcessSupport", "TrainingTestSupport", "CrestPluginHost", "CrestPluginSDK",
        "CrestTraining", "CrestState",
        "CrestData", "CrestLayers", "CrestOptimizers", "CrestRuntime", "CrestGraph", "CrestTensor",
      ], exclude: ["Fixtures"], swiftSettings: strict),
    // Depends on what a user's program does.
    .executableTarget(
      name: "misuse-program", dependencies: ["Crest", "CrestImages"], path: "Tests/MisuseProgram",
      swiftSettings: strict),
    .testTarget(
      name: "ProjectTests", dependencies: ["ProcessSupport"],
      exclude: ["Programs", "programmer-errors.txt"],
      swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "ONNXTestSupport", "ProcessSupport", "CrestCallbacks", "CrestData", "CrestLayers",
        "CrestONNX", "CrestOptimizers", "CrestState", "CrestTensor", "CrestTestSupport",
        "CrestTraining",
      ],
      exclude: ["Snapshots"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
