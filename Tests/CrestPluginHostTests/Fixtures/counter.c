/* A plugin in a process of its own that remembers how many batches it has seen, and lets the learning rate fall with
 * them: what it forgets shows in the weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static long number(const char *line, const char *name) {
  const char *place = strstr(line, name);
  return place ? strtol(place + strlen(name), NULL, 10) : -1;
}

int main(void) {
  static char line[1 << 16];
  unsigned long count = 0;
  while (fgets(line, sizeof line, stdin) != NULL) {
    long event = number(line, "\"event\":");
    const char *state = strstr(line, "\"load\":\"");
    if (strstr(line, "\"create\":")) {
      printf("{\"crest\":1,\"cookie\":\"%s\",\"identifier\":\"Counter\",\"version\":\"1.0.0\","
             "\"hooks\":[\"beforeBatch\",\"afterTrain\"],\"replies\":[\"beforeBatch\",\"afterTrain\"],"
             "\"reports\":[\"seen\"],\"owns\":[\"learning_rate_factor\"]}\n",
             getenv("CREST_PLUGIN_COOKIE"));
    } else if (strstr(line, "\"save\":")) {
      /* Three bytes are four digits. */
      printf("{\"event\":%ld,\"state\":\"%c%c%c%c\"}\n", event, digits[count >> 18 & 63], digits[count >> 12 & 63],
             digits[count >> 6 & 63], digits[count & 63]);
    } else if (state) {
      count = 0;
      for (const char *digit = state + 8; *digit != '"'; digit++)
        count = count << 6 | (unsigned long)(strchr(digits, *digit) - digits);
      printf("{\"event\":%ld}\n", event);
    } else if (strstr(line, "\"hook\":\"afterTrain\"")) {
      printf("{\"event\":%ld,\"actions\":[{\"report\":\"seen\",\"value\":%lu}]}\n", event, count);
    } else if (strstr(line, "\"purpose\":\"training\"")) {
      count++;
      printf("{\"event\":%ld,\"actions\":[{\"set\":\"learning_rate_factor\",\"value\":%.17g}]}\n", event,
             1 / (1 + 0.05 * (double)count));
    } else {
      printf("{\"event\":%ld}\n", event);
    }
    fflush(stdout);
  }
  return 0;
}
