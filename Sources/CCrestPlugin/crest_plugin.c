#include "crest_plugin.h"

CREST_PLUGIN_STAMP
