// All of the project's own TensorFlow operations. They are compiled together, because TensorFlow's headers take most
// of the time that one file takes.

#include "convolution-by-parts.h"
#include "every-position.h"
#include "exact-convolution.h"
#include "filter-gradient-by-parts.h"
#include "max-pool.h"
#include "merge.h"
#include "normalize.h"
#include "sgd.h"
#include "tiny-map.h"
#include "version.h"
