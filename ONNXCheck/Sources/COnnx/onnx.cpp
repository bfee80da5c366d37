// SwiftPM defines DEBUG in debug builds, and version_converter/convert.h has a member of that name.
#undef DEBUG

#include "COnnx.h"

#include <onnx/onnx_pb.h>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/checker.h>
#include <onnx/common/version.h>
#include <onnx/defs/data_type_utils.h>
#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>
#include <onnx/version_converter/convert.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;
using onnx::TypeProto;

struct crest_onnx_model {
  ModelProto proto;
  std::vector<std::pair<std::string, int64_t>> opsets;
  std::set<std::string> unjudged_domains;
};

namespace {

/// What this file itself finds wrong with a model.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void give(char **message, const char *text) noexcept {
  *message = strdup(text);
}

/// Runs `body`, and turns what it throws into a status and a message.
template <class Body> crest_onnx_status guarded(char **message, Body body) noexcept {
  *message = nullptr;
  try {
    body();
    return CREST_ONNX_OK;
  } catch (const std::bad_alloc &) {
    return CREST_ONNX_OUT_OF_MEMORY;
  } catch (const std::exception &error) {
    give(message, error.what());
    return CREST_ONNX_REFUSED;
  } catch (...) {
    give(message, "something was thrown that is no std::exception");
    return CREST_ONNX_FAULT;
  }
}

/// The names "" and "ai.onnx" mean the same operator set.
std::string normalized(const std::string &domain) {
  return domain == "ai.onnx" ? "" : domain;
}

void parse(const uint8_t *bytes, size_t count, ModelProto &model) {
  if (count > INT32_MAX) throw Refusal("it is longer than libprotobuf can read");
  // What cannot be read is this file's to report; libprotobuf would write lines of its own to standard error.
  google::protobuf::SetLogHandler(nullptr);
  google::protobuf::io::ArrayInputStream input(bytes, static_cast<int>(count));
  google::protobuf::io::CodedInputStream stream(&input);
  stream.SetTotalBytesLimit(INT32_MAX);
  stream.SetRecursionLimit(100);
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    throw Refusal("its bytes are no ModelProto message, or not a whole one");
}

/// Calls `visit` with every message of the type `Kind` inside `message`. The depth is that which `parse` allowed.
template <class Kind, class Visit> void for_each(const google::protobuf::Message &message, Visit &visit) {
  if (message.GetDescriptor() == Kind::descriptor()) visit(static_cast<const Kind &>(message));
  const auto *reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor *> fields;
  reflection->ListFields(message, &fields);
  for (const auto *field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      for_each<Kind>(reflection->GetMessage(message, field), visit);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); i++)
      for_each<Kind>(reflection->GetRepeatedMessage(message, field, i), visit);
  }
}

/// Fills what is known of a model besides its message.
void describe(crest_onnx_model &model) {
  const auto add = [&](const auto &imports) {
    for (const auto &opset : imports) model.opsets.emplace_back(normalized(opset.domain()), opset.version());
  };
  add(model.proto.opset_import());
  std::set<std::pair<std::string, std::string>> own;
  for (const auto &function : model.proto.functions()) {
    add(function.opset_import());
    own.emplace(function.domain(), function.name());
  }
  const auto &known = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  auto visit = [&](const NodeProto &node) {
    const std::string domain = normalized(node.domain());
    if (known.count(domain) == 0 && own.count({node.domain(), node.op_type()}) == 0)
      model.unjudged_domains.insert(domain);
  };
  for_each<NodeProto>(model.proto, visit);
}

bool is_external(const TensorProto &tensor) {
  return tensor.data_location() == TensorProto::EXTERNAL;
}

/// Whether a path stays in the folder that it is relative to, as far as its text says.
bool stays_inside(const std::string &path) {
  if (path.empty() || path[0] == '/' || path.find('\0') != std::string::npos) return false;
  const std::string framed = "/" + path + "/";
  return framed.find("/../") == std::string::npos;
}

void check_locations(const ModelProto &model) {
  auto visit = [](const TensorProto &tensor) {
    if (!is_external(tensor)) return;
    for (const auto &entry : tensor.external_data())
      if (entry.key() == "location" && !stays_inside(entry.value()))
        throw Refusal(
            "the data of tensor \"" + tensor.name() + "\" is at \"" + entry.value() +
            "\", expected a path inside the folder of the model");
  };
  for_each<TensorProto>(model, visit);
}

/// The parts of a model that `ConvertVersion` may leave out without a word.
std::vector<std::pair<const char *, int>> parts(const ModelProto &model) {
  int external_count = 0;
  auto visit = [&](const TensorProto &tensor) { external_count += is_external(tensor); };
  for_each<TensorProto>(model, visit);
  const GraphProto &graph = model.graph();
  return {
      {"tensors with data in side files", external_count},
      {"functions", model.functions_size()},
      {"training information", model.training_info_size()},
      {"metadata", model.metadata_props_size()},
      {"nodes", graph.node_size() > 0},
      {"inputs", graph.input_size()},
      {"outputs", graph.output_size()},
      {"sparse initializers", graph.sparse_initializer_size()},
      {"quantization annotations", graph.quantization_annotation_size()},
  };
}

/// Types and shapes by the names of values.
using Types = std::unordered_map<std::string, const TypeProto *>;

void visit_value(
    const std::string &name, const Types &types, void (*visit)(void *, const crest_onnx_value *), void *context) {
  crest_onnx_value value = {name.c_str(), "", -1, nullptr, nullptr};
  std::vector<int64_t> sizes;
  std::vector<const char *> symbols;
  const auto found = types.find(name);
  if (found != types.end() && found->second->value_case() != TypeProto::VALUE_NOT_SET) {
    const TypeProto &type = *found->second;
    value.type = onnx::Utils::DataTypeUtils::ToType(type)->c_str();
    if (type.has_tensor_type() && type.tensor_type().has_shape()) {
      for (const auto &dimension : type.tensor_type().shape().dim()) {
        sizes.push_back(dimension.has_dim_value() ? dimension.dim_value() : -1);
        symbols.push_back(dimension.has_dim_param() ? dimension.dim_param().c_str() : "");
      }
      value.rank = static_cast<int64_t>(sizes.size());
      value.sizes = sizes.data();
      value.symbols = symbols.data();
    }
  }
  visit(context, &value);
}

} // namespace

const char *crest_onnx_release(void) {
  return onnx::LAST_RELEASE_VERSION;
}

int64_t crest_onnx_newest_ir_version(void) {
  return onnx::Version::IR_VERSION;
}

int64_t crest_onnx_newest_opset(const char *domain) {
  int64_t newest = 0;
  char *message;
  const auto status = guarded(&message, [&] {
    const auto &ranges = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
    const auto found = ranges.find(normalized(domain));
    if (found != ranges.end()) newest = found->second.second;
  });
  std::free(message);
  return status == CREST_ONNX_OK ? newest : 0;
}

crest_onnx_status crest_onnx_parse(const uint8_t *bytes, size_t count, crest_onnx_model **model, char **message) {
  return guarded(message, [&] {
    auto parsed = std::make_unique<crest_onnx_model>();
    parse(bytes, count, parsed->proto);
    describe(*parsed);
    *model = parsed.release();
  });
}

void crest_onnx_model_free(crest_onnx_model *model) {
  delete model;
}

int64_t crest_onnx_ir_version(const crest_onnx_model *model) {
  return model->proto.ir_version();
}

size_t crest_onnx_opset_count(const crest_onnx_model *model) {
  return model->opsets.size();
}

crest_onnx_opset crest_onnx_opset_at(const crest_onnx_model *model, size_t index) {
  const auto &opset = model->opsets[index];
  return {opset.first.c_str(), opset.second};
}

bool crest_onnx_is_unjudged(const crest_onnx_model *model, const char *domain) {
  return model->unjudged_domains.count(domain) > 0;
}

crest_onnx_status crest_onnx_check(const crest_onnx_model *model, char **message) {
  return guarded(message, [&] {
    check_locations(model->proto);
    onnx::checker::check_model(model->proto);
  });
}

crest_onnx_status crest_onnx_infer(crest_onnx_model *model, char **message) {
  return guarded(message, [&] {
    // Without an error mode, what libonnx does not understand is skipped, and the result looks like success.
    const onnx::ShapeInferenceOptions strict(/* check types */ true, /* error mode */ 1, /* data propagation */ true);
    onnx::shape_inference::InferShapes(model->proto, onnx::OpSchemaRegistry::Instance(), strict);
  });
}

crest_onnx_status crest_onnx_convert(
    const crest_onnx_model *model, int64_t opset, crest_onnx_model **converted, char **message) {
  return guarded(message, [&] {
    auto result = std::make_unique<crest_onnx_model>();
    result->proto = onnx::version_conversion::ConvertVersion(model->proto, static_cast<int>(opset));
    const auto before = parts(model->proto), after = parts(result->proto);
    for (size_t i = 0; i < before.size(); i++)
      if (after[i].second < before[i].second)
        throw Refusal(std::string("the converted model would be without the source's ") + before[i].first);
    describe(*result);
    *converted = result.release();
  });
}

crest_onnx_status crest_onnx_serialize(
    const crest_onnx_model *model, uint8_t **bytes, size_t *count, char **message) {
  return guarded(message, [&] {
    const size_t needed = model->proto.ByteSizeLong();
    if (needed > INT32_MAX) throw Refusal("it would be longer than libprotobuf can write");
    std::unique_ptr<uint8_t, decltype(&std::free)> buffer(
        static_cast<uint8_t *>(std::malloc(needed > 0 ? needed : 1)), &std::free);
    if (!buffer) throw std::bad_alloc();
    if (!model->proto.SerializeToArray(buffer.get(), static_cast<int>(needed)))
      throw Refusal("libprotobuf can't write it");
    *bytes = buffer.release();
    *count = needed;
  });
}

crest_onnx_status crest_onnx_visit_values(
    const crest_onnx_model *model, void (*visit)(void *context, const crest_onnx_value *value), void *context,
    char **message) {
  return guarded(message, [&] {
    const GraphProto &graph = model->proto.graph();
    Types types;
    for (const auto &value : graph.value_info()) types[value.name()] = &value.type();
    for (const auto &value : graph.output()) types[value.name()] = &value.type();
    for (const auto &value : graph.input()) {
      types[value.name()] = &value.type();
      visit_value(value.name(), types, visit, context);
    }
    for (const auto &node : graph.node())
      for (const auto &name : node.output())
        if (!name.empty()) visit_value(name, types, visit, context);
  });
}

void crest_onnx_free(void *pointer) {
  std::free(pointer);
}
