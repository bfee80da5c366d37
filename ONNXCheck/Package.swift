// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

// The official ONNX checker, as a command. A package of its own, since only it needs libonnx-dev and libprotobuf-dev.
let package = Package(
  name: "crest-onnx-check",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "crest-onnx-check", targets: ["ONNXCheck"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    // Links to the targets of these names in the package of Crest.
    .target(name: "CrestPlatform", swiftSettings: strict),
    .target(name: "CCrestFiles"),
    .target(
      name: "CrestFiles", dependencies: ["CCrestFiles", "CrestPlatform"], swiftSettings: strict),
    .target(
      name: "COnnx",
      cxxSettings: [.define("ONNX_NAMESPACE", to: "onnx"), .define("ONNX_ML", to: "1")],
      linkerSettings: [
        .linkedLibrary("onnx"), .linkedLibrary("onnx_proto"), .linkedLibrary("protobuf"),
      ]),
    .executableTarget(
      name: "ONNXCheck",
      dependencies: [
        "COnnx", "CrestFiles", "CrestPlatform",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11,
  cxxLanguageStandard: .cxx17
)
