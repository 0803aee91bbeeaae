// TensorFlow's framework library remarks on its own defaults on standard error while it is being loaded, before
// anything could tell it not to. This module, loaded first, loads the library with standard error put aside.

#include <dlfcn.h>
#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>

namespace {

const bool kLoaded = [] {
  const int kept = dup(STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY);
  if (kept < 0 || nowhere < 0) return false;
  dup2(nowhere, STDERR_FILENO);
  // A failure is no concern here: loading the binding fails for the same reason, and says it.
  const bool loaded = dlopen("libtensorflow_framework.so.2", RTLD_LAZY) != nullptr;
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(nowhere);
  return loaded;
}();

napi_value Initialize(napi_env, napi_value exports) { return exports; }

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, Initialize)
