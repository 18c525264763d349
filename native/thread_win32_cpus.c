/*
 * CPUs of a thread on Windows: CPU sets, which the system prefers but may leave where all of them are parked (soft), else
 * the affinity of a processor group (hard). A choice counts only if it reads back.
 * Sources: GetSystemCpuSetInformation, SetThreadSelectedCpuSets, SetThreadGroupAffinity, "Processor Groups".
 */
#include "thread_win32.h"

/* Windows Server 2025 runs on at most 2048 logical processors. */
#define MOST_CPU_SETS 2048
#define CPUS_PER_GROUP 64
#define MOST_GROUPS (FD_MAX_CPUS / CPUS_PER_GROUP)
enum { ALLOCATED = 2, ALLOCATED_TO_THIS_PROCESS = 4 };

/* SYSTEM_CPU_SET_INFORMATION, which older headers lack. Entries are `size` bytes apart. */
typedef struct {
  DWORD size;
  DWORD type; /* 0: a CPU set */
  DWORD id;
  WORD group;
  BYTE index_in_group;
  BYTE core, last_level_cache, numa_node, efficiency_class;
  BYTE flags;
  DWORD scheduling_class;
  DWORD64 allocation_tag;
} cpu_set_information;

static struct {
  ULONG id;
  uint32_t cpu;
} cpu_sets[MOST_CPU_SETS];
static uint32_t cpu_set_count;
static fd_cpu_set allowed;

static void record_cpu_sets(fd_cpu_set *others) {
  /* written once, before any other thread looks */
  static cpu_set_information buffer[MOST_CPU_SETS];
  ULONG bytes = 0;
  memset(others, 0, sizeof *others);
  if (fd_win32.get_system_cpu_sets == NULL ||
      !fd_win32.get_system_cpu_sets(buffer, sizeof buffer, &bytes, GetCurrentProcess(), 0)) {
    return;
  }
  for (ULONG at = 0; at + sizeof buffer[0] <= bytes && cpu_set_count < MOST_CPU_SETS;) {
    cpu_set_information one;
    memcpy(&one, (const char *)buffer + at, sizeof one);
    if (one.size == 0) return;
    at += one.size;
    uint32_t cpu = (uint32_t)one.group * CPUS_PER_GROUP + one.index_in_group;
    if (one.type != 0 || cpu >= FD_MAX_CPUS) continue;
    cpu_sets[cpu_set_count].id = one.id;
    cpu_sets[cpu_set_count++].cpu = cpu;
    if ((one.flags & ALLOCATED) != 0 && (one.flags & ALLOCATED_TO_THIS_PROCESS) == 0) fd_cpu_add(others, cpu);
  }
}

/* A process is in one group, or since Windows 11 in all: then it has no mask. */
static void record_allowed(void) {
  USHORT groups[MOST_GROUPS];
  USHORT count = MOST_GROUPS;
  DWORD_PTR process_mask = 0, system_mask = 0;
  bool one_group = GetProcessGroupAffinity(GetCurrentProcess(), &count, groups) && count == 1;
  if (!one_group) groups[0] = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &process_mask, &system_mask) && process_mask != 0 &&
      groups[0] < MOST_GROUPS) {
    allowed.words[groups[0]] = process_mask;
    return;
  }
  WORD active = GetActiveProcessorGroupCount();
  for (WORD group = 0; group < active && group < MOST_GROUPS; group++) {
    DWORD cpus = GetActiveProcessorCount(group);
    allowed.words[group] = cpus >= CPUS_PER_GROUP ? UINT64_MAX : ((uint64_t)1 << cpus) - 1;
  }
}

void fd_win32_cpus_begin(void) {
  fd_cpu_set others;
  record_cpu_sets(&others);
  record_allowed();
  for (int i = 0; i < MOST_GROUPS; i++) allowed.words[i] &= ~others.words[i];
}

const fd_cpu_set *fd_win32_allowed_cpus(void) { return &allowed; }

static bool read_selected(HANDLE thread, fd_cpu_set *cpus) {
  ULONG ids[MOST_CPU_SETS];
  ULONG count = 0;
  memset(cpus, 0, sizeof *cpus);
  if (fd_win32.get_thread_cpu_sets == NULL ||
      !fd_win32.get_thread_cpu_sets(thread, ids, MOST_CPU_SETS, &count)) {
    return false;
  }
  for (ULONG i = 0; i < count && i < MOST_CPU_SETS; i++) {
    for (uint32_t set = 0; set < cpu_set_count; set++) {
      if (cpu_sets[set].id == ids[i]) fd_cpu_add(cpus, cpu_sets[set].cpu);
    }
  }
  return true;
}

static bool select_cpu_sets(const fd_cpu_set *cpus) {
  ULONG ids[MOST_CPU_SETS];
  ULONG count = 0;
  fd_cpu_set now;
  if (fd_win32.set_thread_cpu_sets == NULL) return false;
  for (uint32_t set = 0; set < cpu_set_count; set++) {
    if (fd_cpu_has(cpus, cpu_sets[set].cpu)) ids[count++] = cpu_sets[set].id;
  }
  if (count == 0 || !fd_win32.set_thread_cpu_sets(GetCurrentThread(), ids, count)) return false;
  if (read_selected(GetCurrentThread(), &now) && fd_cpu_equal(&now, cpus)) {
    fd_win32_hold(FD_HOLDS_CPU_SETS, true);
    return true;
  }
  fd_win32.set_thread_cpu_sets(GetCurrentThread(), NULL, 0);
  return false;
}

/* The part of the lowest group that has any. */
static bool group_affinity(const fd_cpu_set *cpus, GROUP_AFFINITY *affinity) {
  memset(affinity, 0, sizeof *affinity);
  for (WORD group = 0; group < MOST_GROUPS; group++) {
    if (cpus->words[group] == 0) continue;
    affinity->Group = group;
    affinity->Mask = (KAFFINITY)cpus->words[group];
    return true;
  }
  return false;
}

static void pin(const fd_cpu_set *cpus, fd_how *how) {
  GROUP_AFFINITY wanted, now;
  if (!group_affinity(cpus, &wanted)) return;
  if (!SetThreadGroupAffinity(GetCurrentThread(), &wanted, NULL)) {
    fd_win32_add_error(how->reason, "SetThreadGroupAffinity", GetLastError());
    return;
  }
  fd_win32_hold(FD_HOLDS_AFFINITY, true);
  fd_say(how->mechanism, "SetThreadGroupAffinity");
  for (int group = wanted.Group + 1; group < MOST_GROUPS; group++) {
    if (cpus->words[group] == 0) continue;
    fd_add(how->reason, "a thread has CPUs of one processor group");
    break;
  }
  if (!GetThreadGroupAffinity(GetCurrentThread(), &now)) {
    fd_win32_add_error(how->reason, "GetThreadGroupAffinity", GetLastError());
  } else if (now.Group != wanted.Group || now.Mask != wanted.Mask) {
    fd_add(how->reason, "another affinity reads back");
  }
}

void fd_win32_apply_cpus(const fd_cpu_set *cpus, fd_how *how) {
  fd_cpu_set usable;
  fd_cpu_and(&usable, cpus, &allowed);
  if (fd_cpu_none(&usable)) {
    fd_add(how->reason, "none of the CPUs is allowed to this process");
    return;
  }
  if (select_cpu_sets(&usable)) fd_say(how->mechanism, "SetThreadSelectedCpuSets");
  else pin(&usable, how);
  if (!fd_cpu_equal(&usable, cpus)) fd_add(how->reason, "the other CPUs are not allowed to this process");
}

void fd_win32_reset_cpus(void) {
  GROUP_AFFINITY all;
  if (fd_win32_holds(FD_HOLDS_CPU_SETS)) fd_win32.set_thread_cpu_sets(GetCurrentThread(), NULL, 0);
  if (fd_win32_holds(FD_HOLDS_AFFINITY) && group_affinity(&allowed, &all)) {
    SetThreadGroupAffinity(GetCurrentThread(), &all, NULL);
  }
  fd_win32_hold(FD_HOLDS_CPU_SETS | FD_HOLDS_AFFINITY, false);
}

bool fd_win32_read_cpus(HANDLE thread, fd_cpu_set *cpus) {
  GROUP_AFFINITY affinity;
  if (read_selected(thread, cpus) && !fd_cpu_none(cpus)) return true;
  if (!GetThreadGroupAffinity(thread, &affinity) || affinity.Group >= MOST_GROUPS) return false;
  memset(cpus, 0, sizeof *cpus);
  cpus->words[affinity.Group] = affinity.Mask;
  return true;
}
