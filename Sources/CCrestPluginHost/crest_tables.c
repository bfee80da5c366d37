#define _GNU_SOURCE

#include "crest_tables.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#endif

#include "crest_exits.h"

static const crest_plugin *load(const char *const *paths, size_t count, char *reason, size_t capacity) {
  void *library = NULL;
  for (size_t place = 0; place < count; place++) {
    library = dlopen(paths[place], RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) continue;
    const char *message = dlerror();
    snprintf(reason, capacity, "the system can't load it: %s", message ? message : "no reason given");
    return NULL;
  }
  crest_plugin_entry *entry = library ? (crest_plugin_entry *)dlsym(library, "crest_plugin_v1") : NULL;
  if (entry == NULL) {
    snprintf(reason, capacity, "there is no function crest_plugin_v1");
    return NULL;
  }
  const crest_plugin *table = entry(CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR);
  if (table == NULL) {
    snprintf(reason, capacity, "crest_plugin_v1 refused version %u.%u of the interface", CREST_PLUGIN_MAJOR,
             CREST_PLUGIN_MINOR);
    return NULL;
  }
  return table;
}

/// Whether a table can be used; why not is written to `reason`.
static int is_valid(const crest_plugin *table, char *reason, size_t capacity) {
  // Beyond the fixed beginning nothing may be read before the size is known.
  size_t least = offsetof(crest_plugin, destroy) + sizeof table->destroy;
  if (table->magic != CREST_PLUGIN_MAGIC) {
    snprintf(reason, capacity, "its table begins with the number %08x, expected %08x", table->magic,
             CREST_PLUGIN_MAGIC);
    return 0;
  }
  if (table->major != CREST_PLUGIN_MAJOR || table->minor > CREST_PLUGIN_MINOR) {
    snprintf(reason, capacity, "its table is of version %u.%u, expected %u.0 to %u.%u", table->major, table->minor,
             CREST_PLUGIN_MAJOR, CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR);
    return 0;
  }
  if (table->size < least || table->size >= 4096) {
    snprintf(reason, capacity, "its table has %u bytes, expected %zu to 4095", table->size, least);
    return 0;
  }
  if (!table->identifier || !table->version || !table->create || !table->on_event || !table->destroy) {
    snprintf(reason, capacity, "its table lacks one of identifier, version, create, on_event, destroy");
    return 0;
  }
  if (!table->save_state != !table->load_state) {
    snprintf(reason, capacity, "its table has only one of save_state and load_state");
    return 0;
  }
  return 1;
}

int crest_load_table(const char *const *paths, size_t count, struct crest_caller *caller, const void **result,
                     char *reason, size_t capacity) {
  struct crest_loaded *loaded = crest_loaded_now();
  struct crest_process_state *state = crest_process_state_take(0);
  if (loaded == NULL || state == NULL) {
    snprintf(reason, capacity, "there is no memory to load it");
    free(loaded);
    if (state != NULL) crest_process_state_settle(state, reason, 0);
    return -1;
  }
  struct crest_caller *outer = crest_begin_call(caller, "loading");
  const crest_plugin *table = load(paths, count, reason, capacity);
  crest_end_call(outer);
  crest_take_over_exits(loaded, caller->identifier);
  char changes[512];
  if (crest_process_state_settle(state, changes, sizeof changes) > 0 && table != NULL) {
    int is_fast = strstr(changes, "zero") != NULL;
    snprintf(reason, capacity, "loading it changes %s of the process%s", changes,
             is_fast ? ", as -ffast-math does; build it without" : "");
    return -1;
  }
  if (table == NULL || !is_valid(table, reason, capacity)) return -1;
  *result = table;
  return 0;
}

enum { SURVIVED = 77 };

int crest_try_table(const char *const *paths, size_t count, struct crest_caller *caller, unsigned seconds) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    // Its death is no crash to report; a library that waits for ever is ended by the clock.
    static const int deadly[] = {SIGALRM, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t place = 0; place < sizeof deadly / sizeof *deadly; place++) signal(deadly[place], SIG_DFL);
    sigset_t clock;
    sigemptyset(&clock);
    sigaddset(&clock, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &clock, NULL);
    alarm(seconds);
    char reason[1024];
    const void *table;
    (void)crest_load_table(paths, count, caller, &table, reason, sizeof reason);
    // No handlers of the process that was copied.
    _exit(SURVIVED);
  }
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#if defined(__linux__)

struct search {
  const char *name;
  int is_found;
};

/// Whether an address is in memory that a library brings: a damaged one may say anything of itself.
static int is_in(const struct dl_phdr_info *library, ElfW(Addr) address) {
  for (int place = 0; place < library->dlpi_phnum; place++) {
    const ElfW(Phdr) *segment = &library->dlpi_phdr[place];
    ElfW(Addr) start = library->dlpi_addr + segment->p_vaddr;
    if (segment->p_type == PT_LOAD && address >= start && address - start < segment->p_memsz) return 1;
  }
  return 0;
}

static int compare_name(struct dl_phdr_info *library, size_t size, void *context) {
  (void)size;
  struct search *search = context;
  const ElfW(Dyn) *dynamic = NULL;
  for (int place = 0; place < library->dlpi_phnum; place++)
    if (library->dlpi_phdr[place].p_type == PT_DYNAMIC)
      dynamic = (const ElfW(Dyn) *)(library->dlpi_addr + library->dlpi_phdr[place].p_vaddr);
  ElfW(Addr) names = 0;
  ElfW(Xword) name = 0;
  for (; dynamic != NULL && is_in(library, (ElfW(Addr))dynamic) && dynamic->d_tag != DT_NULL; dynamic++) {
    if (dynamic->d_tag == DT_STRTAB) names = dynamic->d_un.d_ptr;
    if (dynamic->d_tag == DT_SONAME) name = dynamic->d_un.d_val;
  }
  if (names == 0 || name == 0) return 0;
  // Some C libraries have added where the library lies, some have not.
  if (names < library->dlpi_addr) names += library->dlpi_addr;
  // Up to where the name would have to end.
  if (!is_in(library, names + name) || !is_in(library, names + name + strlen(search->name))) return 0;
  search->is_found = strcmp((const char *)names + name, search->name) == 0;
  return search->is_found;
}

int crest_is_loaded(const char *name) {
  struct search search = {name, 0};
  dl_iterate_phdr(compare_name, &search);
  return search.is_found;
}

#else

int crest_is_loaded(const char *name) {
  (void)name;
  return 0;
}

#endif

int crest_sealed_copy(const char *name, const void *bytes, size_t count) {
#if defined(SYS_memfd_create) && defined(F_ADD_SEALS)
  // MFD_CLOEXEC, MFD_ALLOW_SEALING and, from Linux 6.3 on, MFD_EXEC.
  int descriptor = (int)syscall(SYS_memfd_create, name, 0x13u);
  if (descriptor < 0 && errno == EINVAL) descriptor = (int)syscall(SYS_memfd_create, name, 0x3u);
  if (descriptor < 0) return -1;
  // Standard streams may be closed, and their numbers are looked at as such.
  if (descriptor < 3) {
    int low = descriptor;
    descriptor = fcntl(low, F_DUPFD_CLOEXEC, 3);
    close(low);
    if (descriptor < 0) return -1;
  }
  while (count > 0) {
    ssize_t written = write(descriptor, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    bytes = (const char *)bytes + written;
    count -= (size_t)written;
  }
  if (count == 0 && fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
    return descriptor;
  int error = errno;
  close(descriptor);
  errno = error;
  return -1;
#else
  (void)name, (void)bytes, (void)count;
  errno = ENOSYS;
  return -1;
#endif
}
