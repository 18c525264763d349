/* Frames with barriers: stages, their release by whoever completes a stage, deaths, cancelling.
   See README.md for what is shown, what each mutant breaks and the sizes.

   A frame slot's words: columns, accepted count, stage numbers and stage targets are cumulative and
   never reset; the list of waiting slots is restarted by the host at each frame's begin.
   Each frame has JOBS0 jobs, a barrier, JOBS1 jobs, a barrier, JOBS2 jobs, and its join, which closes a
   stage as a barrier does: the frame is complete when all its stages are.

   Sizes:    S slots, FRAMES frames, FS frame slots, BARRIERS in each frame (1: no third group)
   Variants: KILL    worker 0 dies at any step
             CANCEL  the host cancels one job, waiting or ready
             ONEWORKER  worker 1 does not run */
#ifndef S
#define S 3
#endif
#ifndef FRAMES
#define FRAMES 1
#endif
#ifndef FS
#define FS 1
#endif
#ifndef JOBS0
#define JOBS0 1
#endif
#ifndef JOBS1
#define JOBS1 1
#endif
#ifndef JOBS2
#define JOBS2 1
#endif
#define HOST 2
#define SUP 3
#define NOBODY 7
#define FREE 0
#define WAITING 1
#define READY 2
#define RUNNING 3
#define DONE 4
#ifndef BARRIERS
#define BARRIERS 2       /* in each frame; the join closes one stage more */
#endif
#define TARGETS 4        /* stage targets are kept in a ring of this size */
#define LIST 4           /* entries of a frame's list of waiting slots */

typedef Slot { byte state; byte owner; byte gen; byte frame; byte stage; byte frameRecord; bool cancel };
Slot s[S];
byte finished[FS * 4];
byte barriers[FS];                       /* stages closed by the host so far; written by the host */
byte released[FS];                       /* stages released so far */
byte stageTarget[FS * TARGETS];         /* finished count that completes stage n, at n % TARGETS */
byte list[FS * LIST]; byte listLength[FS];
bool killed[2]; bool exited[2]; bool stop; byte deaths; byte cancels;
byte unended[FS * 8];                    /* ghost: jobs of each stage that have not ended */
#define UNENDED(k) unended[s[k].frame * 8 + s[k].stage % 8]
#define BEFORE(k, n) unended[s[k].frame * 8 + (s[k].stage + 8 - n) % 8]

#define COL(f, w) finished[(f) * 4 + (w)]
/* one step here; slot.pml reads column by column, and shows the wake-up of the join as well */
#define SUM(f) (COL(f, 0) + COL(f, 1) + COL(f, HOST) + COL(f, SUP))

/* compare-exchange waiting -> ready for the slots of the list, up to stage `bound` */
inline walk(f, bound, n, m, k, q) {
  n = listLength[f];
  m = 0;
  do
  :: m < n ->
     k = list[(f) * LIST + m];
     atomic { q = s[k].gen; if :: s[k].state != WAITING -> q = 255 :: else fi };
     if
     :: q != 255 ->
        if
#ifdef M_NO_FRAME_CHECK
        :: s[k].stage == bound
#elif defined(M_NO_STAGE_CHECK)
        :: s[k].frame == f
#else
        :: atomic { s[k].frame == f && s[k].stage == bound }  /* two fields of a slot that the exchange below proves unchanged */
#endif
           ->
#ifdef M_NO_GENERATION
           atomic { if :: s[k].state == WAITING -> s[k].state = READY :: else fi }
#else
           atomic { if :: s[k].state == WAITING && s[k].gen == q -> s[k].state = READY :: else fi }
#endif
        :: else
        fi
     :: else
     fi;
     m++
  :: else -> break
  od;
  atomic { n = 0; m = 0; k = 0; q = 0 }
}

/* after every column store, and by the host after every barrier: release what is complete */
inline settle(f, r, t, ok, n, m, k, q) {
  do
  :: atomic { r = released[f] };
     if
     :: barriers[f] == r -> break
     :: else
     fi;
     t = stageTarget[(f) * TARGETS + r % TARGETS];
     if
#ifdef EQUALITY
     :: SUM(f) != t -> break
#else
     :: SUM(f) < t -> break
#endif
     :: else
     fi;
#ifdef M_PLAIN_STORE
     released[f] = r + 1; ok = true;     /* may put the word back to an earlier stage */
#else
     atomic { if :: released[f] == r -> released[f] = r + 1; ok = true :: else -> ok = false fi };
#endif
     if :: ok -> walk(f, r + 1, n, m, k, q) :: else fi
#ifdef M_ONE_STAGE
     ; break
#endif
  od;
  atomic { r = 0; t = 0; ok = false }
}

inline claim(n) {
  assert(BEFORE(n, 1) == 0 && BEFORE(n, 2) == 0);         /* nothing passes a barrier */
  i = n; s[i].state = RUNNING; s[i].owner = me; f = s[i].frame
}

proctype worker(byte me) {
  byte i, f, c, r, t, n, m, k, q;
  bool ok;
  {
    true;
 loop:
    if
    :: atomic { s[0].state == READY -> claim(0) }
    :: atomic { s[1].state == READY -> claim(1) }
    :: atomic { s[2].state == READY -> claim(2) }
    :: atomic { stop -> goto end }
    fi;
    atomic {
      assert(s[i].state == RUNNING && s[i].owner == me);
      c = COL(f, me) + 1; s[i].frameRecord = c; s[i].state = DONE; UNENDED(i)--; i = 0
    };
    atomic { COL(f, me) = c; c = 0 };
    settle(f, r, t, ok, n, m, k, q);
    f = 0;
    goto loop
  } unless { atomic { killed[me] -> exited[me] = true } };
 end: skip
}

#ifdef KILL
proctype killer() { if :: killed[0] = true :: true fi }

/* slot.pml shows the settling step by step; here it is one step, and what follows is split */
proctype supervisor() {
  byte f, r, t, n, m, k, q;
  bool ok;
 end: exited[0];
  atomic {
    k = 0;
    do
    :: k < S ->
       if
       :: s[k].owner == 0 && s[k].state == RUNNING ->
          s[k].state = DONE; s[k].owner = SUP; UNENDED(k)--; COL(s[k].frame, SUP) = COL(s[k].frame, SUP) + 1
       :: s[k].owner == 0 && s[k].state == DONE && s[k].frameRecord > COL(s[k].frame, 0) ->
          COL(s[k].frame, 0) = s[k].frameRecord
       :: else
       fi;
       k++
    :: else -> break
    od;
    k = 0
  };
  do
  :: f < FS ->
#ifndef M_NO_REDO
     r = released[f];                                     /* it may have died between releasing and the walk */
     walk(f, r, n, m, k, q);
#endif
     settle(f, r, t, ok, n, m, k, q);
     f++
  :: else -> break
  od
}
#endif

#define AVAILABLE(n) (member[n] == 0 && s[n].state == FREE)
#define JOBS(g) ((g) == 0 -> JOBS0 : ((g) == 1 -> JOBS1 : JOBS2))
#define SPARE ((AVAILABLE(0) -> 1 : 0) + (AVAILABLE(1) -> 1 : 0) + (AVAILABLE(2) -> 1 : 0))
proctype host() {
  byte f, r, t, n, m, k, q, opened, closed, group, count, slot;
  bool ok;
  byte accepted[FS];
  byte member[S];
  do
  :: opened < FRAMES && opened - closed < FS && SPARE >= JOBS0 + JOBS1 + JOBS2 ->
     f = opened % FS;
     listLength[f] = 0;
     group = 0;
     do
     :: group <= BARRIERS ->
        count = 0;
        do
        :: count < JOBS(group) ->
           if
           :: AVAILABLE(0) -> slot = 0
           :: !AVAILABLE(0) && AVAILABLE(1) -> slot = 1
           :: !AVAILABLE(0) && !AVAILABLE(1) && AVAILABLE(2) -> slot = 2
           fi;
           atomic {
             member[slot] = opened + 1;
             s[slot].owner = NOBODY; s[slot].gen = (s[slot].gen + 1) % 8; s[slot].cancel = false;
             s[slot].frame = f; s[slot].stage = barriers[f]; UNENDED(slot)++
           };
           accepted[f]++;
           if
           :: released[f] >= barriers[f] -> s[slot].state = READY
           :: else ->
#ifdef M_LENGTH_FIRST
              list[f * LIST + listLength[f]] = slot;
              listLength[f] = listLength[f] + 1;
              r = released[f];
              s[slot].state = WAITING;
#else
              s[slot].state = WAITING;
              list[f * LIST + listLength[f]] = slot;
              listLength[f] = listLength[f] + 1;
              r = released[f];
#endif
#ifndef M_NO_SECOND_LOOK
              if
              :: r >= s[slot].stage ->
                 atomic { if :: s[slot].state == WAITING -> s[slot].state = READY :: else fi }
              :: else
              fi
#endif
           fi;
           atomic { count++; r = 0; slot = 0 }
        :: else -> break
        od;
        group++;                                          /* frame.barrier(), and the join after the last jobs */
        stageTarget[f * TARGETS + barriers[f] % TARGETS] = accepted[f];
        barriers[f] = barriers[f] + 1;
#ifndef M_NO_BARRIER_SUM
        settle(f, r, t, ok, n, m, k, q)
#endif
     :: else -> break
     od;
     atomic { opened++; group = 0; count = 0 }
  :: closed < opened ->
     f = closed % FS;
#ifdef CANCEL
     if
     :: cancels == 0 ->
        cancels++;
        if :: k = 0 :: k = 1 :: k = 2 fi;
        if
        :: member[k] == closed + 1 ->
           if
           :: s[k].state == WAITING ->
#ifdef M_END_WAITING
              atomic {
                if
                :: s[k].state == WAITING -> s[k].state = DONE; s[k].owner = HOST; UNENDED(k)--; ok = true
                :: else -> ok = false
                fi
              }
#else
              s[k].cancel = true; ok = false                              /* it ends at its claim */
#endif
           :: else ->
              atomic {
                if
                :: s[k].state == READY -> s[k].state = DONE; s[k].owner = HOST; UNENDED(k)--; ok = true
                :: else -> ok = false
                fi
              }
           fi;
           k = 0;
           if
           :: ok ->
              COL(f, HOST) = COL(f, HOST) + 1;
#ifndef M_CANCEL_NO_SETTLE
              settle(f, r, t, ok, n, m, k, q)
#endif
           :: else
           fi
        :: else
        fi;
        k = 0; ok = false
     :: true
     fi;
#endif
     atomic {                                             /* the wake-up itself is in slot.pml */
#ifdef M_JOIN_BY_SUM
       SUM(f) == accepted[f];
#else
       released[f] == barriers[f];
#endif
       k = 0;
       do
       :: k < S ->
          if
          :: member[k] == closed + 1 -> assert(s[k].state == DONE); s[k].state = FREE; s[k].owner = NOBODY; member[k] = 0
          :: else
          fi;
          k++
       :: else -> break
       od;
       k = 0
     };
     closed++
  :: closed == FRAMES -> break
  od;
  stop = true
}

proctype monitor() { timeout -> assert(stop) }

init {
  atomic {
    s[0].owner = NOBODY; s[1].owner = NOBODY; s[2].owner = NOBODY;
    run worker(0);
#ifndef ONEWORKER
    run worker(1);
#endif
#ifdef KILL
    run killer(); run supervisor();
#endif
    run host(); run monitor()
  }
}
