// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "crest-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "crest", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
  ],
  targets: [
    .target(name: "CPeaks"),
    .executableTarget(
      name: "crest-benchmarks",
      dependencies: [
        "CPeaks",
        .product(name: "Crest", package: "crest"),
        .product(name: "CrestTestSupport", package: "crest"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/CrestBenchmarks",
      swiftSettings: [
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("ExistentialAny"),
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
