#ifndef CONNX_H
#define CONNX_H

#include "ProcessLimits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// libonnx and libprotobuf behind C functions that no exception leaves: one that did would end the process.
///
/// What they cannot catch is a crash. libonnx 1.12 is known to crash and to hang on some malformed models, so call
/// these functions only in a process that may be lost, under limits.
///
/// Every function that can fail returns a status and, unless that is `CREST_ONNX_OK`, gives a message, to be freed by
/// `crest_onnx_free`; it is NULL when there was no memory for it.
typedef enum {
  CREST_ONNX_OK = 0,
  /// The model is at fault.
  CREST_ONNX_REFUSED = 1,
  /// Memory ran out, as a limit on it makes it do.
  CREST_ONNX_OUT_OF_MEMORY = 2,
  /// Something that is no `std::exception` was thrown.
  CREST_ONNX_FAULT = 3,
} crest_onnx_status;

/// A model in memory, as libprotobuf holds it.
typedef struct crest_onnx_model crest_onnx_model;

/// The release of libonnx, as "1.12.0".
const char *crest_onnx_release(void);
/// The newest version of the format that libonnx judges.
int64_t crest_onnx_newest_ir_version(void);
/// The newest version of the operator set `domain` that libonnx judges; 0 for a domain that it does not know.
int64_t crest_onnx_newest_opset(const char *domain);

/// Reads `count` bytes, which may be freed afterwards, into a model to be freed by `crest_onnx_model_free`.
crest_onnx_status crest_onnx_parse(const uint8_t *bytes, size_t count, crest_onnx_model **model, char **message);
void crest_onnx_model_free(crest_onnx_model *model);

/// The version of the format that the model states; 0 when it states none.
int64_t crest_onnx_ir_version(const crest_onnx_model *model);

/// An operator set that a model uses. The default one has the domain "", even if the file spells it "ai.onnx".
typedef struct {
  /// Lives as long as the model.
  const char *domain;
  int64_t version;
} crest_onnx_opset;
/// The number of operator sets that the model and its functions say they use.
size_t crest_onnx_opset_count(const crest_onnx_model *model);
crest_onnx_opset crest_onnx_opset_at(const crest_onnx_model *model, size_t index);

/// Whether a node uses an operator of `domain` that is neither in libonnx nor a function of the model: libonnx lets it
/// pass unseen.
bool crest_onnx_is_unjudged(const crest_onnx_model *model, const char *domain);

/// libonnx's `check_model`. It looks for side files in the working directory, and only whether they are there; a
/// location that leads out of it is refused before.
crest_onnx_status crest_onnx_check(const crest_onnx_model *model, char **message);

/// libonnx's shape inference, strict and with types checked. The model then holds what was found.
crest_onnx_status crest_onnx_infer(crest_onnx_model *model, char **message);

/// Makes a model of the default operator set `opset`. Refused when the converter would leave out part of the model.
crest_onnx_status crest_onnx_convert(
    const crest_onnx_model *model, int64_t opset, crest_onnx_model **converted, char **message);

/// The model as bytes, to be freed by `crest_onnx_free`.
crest_onnx_status crest_onnx_serialize(
    const crest_onnx_model *model, uint8_t **bytes, size_t *count, char **message);

/// A value of the main graph. Everything it points to lives for the visit.
typedef struct {
  const char *name;
  /// As the standard writes types, "tensor(float)"; empty when nothing is known.
  const char *type;
  /// -1 when it is not known.
  int64_t rank;
  /// `rank` sizes, -1 where there is no number.
  const int64_t *sizes;
  /// `rank` names of sizes, empty where there is none.
  const char *const *symbols;
} crest_onnx_value;
/// Calls `visit` with the inputs of the main graph and then with what its nodes give, in the order of the file.
crest_onnx_status crest_onnx_visit_values(
    const crest_onnx_model *model, void (*visit)(void *context, const crest_onnx_value *value), void *context,
    char **message);

/// Frees a message, or the bytes of a model.
void crest_onnx_free(void *pointer);

#ifdef __cplusplus
}
#endif

#endif
