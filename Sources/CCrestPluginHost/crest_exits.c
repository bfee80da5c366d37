#define _GNU_SOURCE

#include "crest_exits.h"

#include <stdlib.h>

#if defined(__linux__)

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { SLOT = R_X86_64_JUMP_SLOT, DATA = R_X86_64_GLOB_DAT, ADDRESS = R_X86_64_64 };
#elif defined(__aarch64__)
enum { SLOT = R_AARCH64_JUMP_SLOT, DATA = R_AARCH64_GLOB_DAT, ADDRESS = R_AARCH64_ABS64 };
#else
enum { SLOT = -1, DATA = -1, ADDRESS = -1 };
#endif

enum { LIBRARY_LIMIT = 1024 };

struct crest_loaded {
  size_t count;
  ElfW(Addr) places[LIBRARY_LIMIT];
};

/// A library of a plugin.
struct owned {
  struct owned *next;
  ElfW(Addr) place;
  char identifier[65];
};

static struct owned *owned_libraries;

/// Ends the process if it is the trainer's; `caller` is an address in the plugin.
static void end(const char *how, const void *caller) {
  if (!crest_is_host_process()) return;
  const char *identifier = "(unknown)";
  Dl_info place;
  if (dladdr(caller, &place) != 0) {
    for (struct owned *owned = __atomic_load_n(&owned_libraries, __ATOMIC_ACQUIRE); owned; owned = owned->next)
      if (owned->place == (ElfW(Addr))place.dli_fbase) identifier = owned->identifier;
  }
  crest_end_process(identifier, how);
}

#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

static _Noreturn void on_exit_call(int code) {
  end("exit", CALLER);
  exit(code);
}
static _Noreturn void on_exit_at_once(int code) {
  end("_exit", CALLER);
  _exit(code);
}
static _Noreturn void on_quick_exit(int code) {
  end("quick_exit", CALLER);
  quick_exit(code);
}
static _Noreturn void on_thread_exit(void *value) {
  // Its own threads end as they like.
  if (crest_is_calling_plugin()) end("pthread_exit", CALLER);
  pthread_exit(value);
}
static int on_execve(const char *path, char *const *arguments, char *const *environment) {
  end("execve", CALLER);
  return execve(path, arguments, environment);
}
static int on_execv(const char *path, char *const *arguments) {
  end("execv", CALLER);
  return execv(path, arguments);
}
static int on_execvp(const char *path, char *const *arguments) {
  end("execvp", CALLER);
  return execvp(path, arguments);
}
static int on_execvpe(const char *path, char *const *arguments, char *const *environment) {
  end("execvpe", CALLER);
  return execvpe(path, arguments, environment);
}
static int on_fexecve(int descriptor, char *const *arguments, char *const *environment) {
  end("fexecve", CALLER);
  return fexecve(descriptor, arguments, environment);
}

enum { ARGUMENT_LIMIT = 4096 };

/// The arguments of `execl`, whose first has been read.
static void collect(char *arguments[ARGUMENT_LIMIT], const char *first, va_list *rest) {
  arguments[0] = (char *)first;
  size_t count = first ? 1 : 0;
  while (count > 0 && count < ARGUMENT_LIMIT - 1 && (arguments[count] = va_arg(*rest, char *)) != NULL) count++;
  arguments[count] = NULL;
}
static int on_execl(const char *path, const char *first, ...) {
  end("execl", CALLER);
  char *arguments[ARGUMENT_LIMIT];
  va_list rest;
  va_start(rest, first);
  collect(arguments, first, &rest);
  va_end(rest);
  return execv(path, arguments);
}
static int on_execlp(const char *path, const char *first, ...) {
  end("execlp", CALLER);
  char *arguments[ARGUMENT_LIMIT];
  va_list rest;
  va_start(rest, first);
  collect(arguments, first, &rest);
  va_end(rest);
  return execvp(path, arguments);
}
static int on_execle(const char *path, const char *first, ...) {
  end("execle", CALLER);
  char *arguments[ARGUMENT_LIMIT];
  va_list rest;
  va_start(rest, first);
  collect(arguments, first, &rest);
  char *const *environment = va_arg(rest, char *const *);
  va_end(rest);
  return execve(path, arguments, environment);
}

static const struct {
  const char *name;
  void *replacement;
} exits[] = {
    {"exit", (void *)on_exit_call},     {"_exit", (void *)on_exit_at_once}, {"_Exit", (void *)on_exit_at_once},
    {"quick_exit", (void *)on_quick_exit}, {"pthread_exit", (void *)on_thread_exit}, {"execve", (void *)on_execve},
    {"execv", (void *)on_execv},        {"execvp", (void *)on_execvp},      {"execvpe", (void *)on_execvpe},
    {"fexecve", (void *)on_fexecve},    {"execl", (void *)on_execl},        {"execlp", (void *)on_execlp},
    {"execle", (void *)on_execle},
};

static int remember(struct dl_phdr_info *library, size_t size, void *context) {
  (void)size;
  struct crest_loaded *loaded = context;
  if (loaded->count < LIBRARY_LIMIT) loaded->places[loaded->count++] = library->dlpi_addr;
  return 0;
}

struct crest_loaded *crest_loaded_now(void) {
  struct crest_loaded *loaded = calloc(1, sizeof *loaded);
  if (loaded != NULL) dl_iterate_phdr(remember, loaded);
  return loaded;
}

/// Writes a pointer into memory that may have been protected after relocation.
static void replace(const struct dl_phdr_info *library, ElfW(Addr) offset, void *value) {
  void **slot = (void **)(library->dlpi_addr + offset);
  int is_protected = 0, is_writable = 0;
  for (int place = 0; place < library->dlpi_phnum; place++) {
    const ElfW(Phdr) *segment = &library->dlpi_phdr[place];
    if (offset < segment->p_vaddr || offset - segment->p_vaddr >= segment->p_memsz) continue;
    if (segment->p_type == PT_GNU_RELRO) is_protected = 1;
    if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W)) is_writable = 1;
  }
  if (!is_writable) return;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  void *start = (void *)((uintptr_t)slot & ~(page - 1));
  size_t length = (uintptr_t)slot + sizeof *slot - (uintptr_t)start;
  if (is_protected && mprotect(start, length, PROT_READ | PROT_WRITE) != 0) return;
  *slot = value;
  if (is_protected) mprotect(start, length, PROT_READ);
}

/// What a dynamic section says, as addresses in memory.
struct dynamic {
  const ElfW(Sym) *symbols;
  const char *names;
  const ElfW(Rela) *tables[2];
  size_t sizes[2];
};

static void read_dynamic(const struct dl_phdr_info *library, const ElfW(Dyn) *entry, struct dynamic *dynamic) {
  // Some C libraries have added where the library lies, some have not.
#define PLACE(address) ((void *)((address) < library->dlpi_addr ? (address) + library->dlpi_addr : (address)))
  for (; entry->d_tag != DT_NULL; entry++) {
    switch (entry->d_tag) {
    case DT_SYMTAB: dynamic->symbols = PLACE(entry->d_un.d_ptr); break;
    case DT_STRTAB: dynamic->names = PLACE(entry->d_un.d_ptr); break;
    case DT_JMPREL: dynamic->tables[0] = PLACE(entry->d_un.d_ptr); break;
    case DT_PLTRELSZ: dynamic->sizes[0] = entry->d_un.d_val; break;
    case DT_RELA: dynamic->tables[1] = PLACE(entry->d_un.d_ptr); break;
    case DT_RELASZ: dynamic->sizes[1] = entry->d_un.d_val; break;
    default: break;
    }
  }
#undef PLACE
}

static void take_over(const struct dl_phdr_info *library) {
  struct dynamic dynamic = {0};
  for (int place = 0; place < library->dlpi_phnum; place++)
    if (library->dlpi_phdr[place].p_type == PT_DYNAMIC)
      read_dynamic(library, (const ElfW(Dyn) *)(library->dlpi_addr + library->dlpi_phdr[place].p_vaddr), &dynamic);
  if (dynamic.symbols == NULL || dynamic.names == NULL) return;
  for (int table = 0; table < 2; table++) {
    if (dynamic.tables[table] == NULL) continue;
    for (size_t place = 0; place < dynamic.sizes[table] / sizeof(ElfW(Rela)); place++) {
      const ElfW(Rela) *relocation = &dynamic.tables[table][place];
      int type = (int)ELF64_R_TYPE(relocation->r_info);
      const ElfW(Sym) *symbol = &dynamic.symbols[ELF64_R_SYM(relocation->r_info)];
      if ((type != SLOT && type != DATA && type != ADDRESS) || symbol->st_shndx != SHN_UNDEF) continue;
      for (size_t row = 0; row < sizeof exits / sizeof *exits; row++)
        if (strcmp(dynamic.names + symbol->st_name, exits[row].name) == 0)
          replace(library, relocation->r_offset, exits[row].replacement);
    }
  }
}

struct search {
  const struct crest_loaded *before;
  const char *identifier;
};

static int take_over_if_new(struct dl_phdr_info *library, size_t size, void *context) {
  (void)size;
  const struct search *search = context;
  for (size_t place = 0; place < search->before->count; place++)
    if (search->before->places[place] == library->dlpi_addr) return 0;
  struct owned *owned = calloc(1, sizeof *owned);
  if (owned != NULL) {
    owned->place = library->dlpi_addr;
    strncpy(owned->identifier, search->identifier, sizeof owned->identifier - 1);
    owned->next = __atomic_load_n(&owned_libraries, __ATOMIC_ACQUIRE);
    while (!__atomic_compare_exchange_n(&owned_libraries, &owned->next, owned, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    }
  }
  take_over(library);
  return 0;
}

void crest_take_over_exits(struct crest_loaded *before, const char *identifier) {
  if (before == NULL) return;
  struct search search = {before, identifier};
  // A library beyond the limit would look new.
  if (before->count < LIBRARY_LIMIT) dl_iterate_phdr(take_over_if_new, &search);
  free(before);
}

#else

struct crest_loaded *crest_loaded_now(void) { return NULL; }
void crest_take_over_exits(struct crest_loaded *before, const char *identifier) { (void)before, (void)identifier; }

#endif
