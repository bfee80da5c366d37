#ifndef CREST_DIGITS_H
#define CREST_DIGITS_H

#include <stddef.h>

/// The file digits.csv.gz, byte by byte, and how many bytes it has.
const unsigned char *crest_digits(size_t *count);

#endif
