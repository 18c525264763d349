/* A worker hangs or dies, a spare takes its place, and the thread that was given up may come back late.
   See README.md for what is shown, what each mutant breaks and the sizes.

   Threads serve in columns, each writes the words of its own column only. Place 0 is served by column 0, then by the
   spare's column 2, then by whatever is free. Place 1, if WORKERS is 2, is served by column 1.
   Sizes:    S slots, FRAMES frames, JPF jobs in each (LAST in the last), HANGS times that the supervisor finds a job too long
   Variants: DEATH    one thread may die at any step, a waiting spare too
             SPARES=0 no warm spare: a new thread starts in the old column once that is free
             AGAIN=b  job b may be run again
             SINGLE   jobs outside frames: each is given back as soon as it is done and counted
             TSO      what a worker tells of its job is stored plainly: others see it as late as its next exchange
   Every access to shared memory is one step. A thread that is killed may die before any step, or go on and leave. */
#ifndef S
#define S 2
#endif
#ifndef FRAMES
#define FRAMES 2
#endif
#ifndef JPF
#define JPF 1
#endif
#ifndef LAST
#define LAST JPF
#endif
#ifndef HANGS
#define HANGS 2
#endif
#ifndef SPARES
#define SPARES 1
#endif
#ifndef WORKERS
#define WORKERS 1
#endif
#ifndef AGAIN
#define AGAIN 99
#endif
#define N ((FRAMES - 1) * JPF + LAST)
#define JOBS(n) ((n) == FRAMES - 1 -> LAST : JPF)
#define SUP 3
#define NOBODY 7
#define NONE 15
#define THREADS 7
#define FREE 0
#define READY 1
#define RUNNING 2
#define DONE 3
#define RUN 0
#define STOP 1

typedef Slot {
  byte state; byte owner; byte gen;          /* one word: always read and exchanged together */
  bool retired; bool reissued;               /* flags */
  byte job; byte record
};
Slot s[S];
byte finished[4];                            /* per column: jobs that were ended, of a frame slot or (SINGLE) of a task */
byte command[3]; byte lives[3];
bool runs[3]; byte jobs[3];                  /* told by the column's thread: it runs a job, it has ended so many */
bool unseen[3];                              /* TSO: the end of its job is told, and not yet seen by others */
bool killed[THREADS]; bool exited[THREADS]; byte threads; byte columnOf[THREADS];
bool stop;
byte ended[N]; byte starts[N]; bool inside[N];   /* ghosts: outcomes given, starts, its handler runs */
byte serving[3];                             /* ghost: threads that use the column's words */

#define SUM (finished[0] + finished[1] + finished[2] + finished[SUP])   /* slot.pml shows that it may be read one by one */
inline flush(c) { if :: unseen[c] -> unseen[c] = false; runs[c] = false; jobs[c]++ :: else fi }
inline claim(n) {
  flush(me); i = n; s[i].state = RUNNING; s[i].owner = me; g = s[i].gen; j = s[i].job;
  starts[j]++; assert(starts[j] <= (j == AGAIN -> 2 : 1));
  runs[me] = true;                           /* in one step with the claim: until then the supervisor sees nothing to be done */
  assert(!inside[j]); inside[j] = true; in = true
}

/* Serves in column `me` once `life` threads have ended their service there. */
proctype thread(byte id; byte me; byte life) {
  byte i, g, j, c;
  bool is, in, turn;
  {
    atomic { lives[me] == life -> turn = true; serving[me]++; assert(serving[me] == 1) };   /* its turn */
 loop:
    if :: command[me] == STOP -> goto leave :: else fi;
    if
    :: atomic { s[0].state == READY -> claim(0) }
#if S > 1
    :: atomic { s[1].state == READY -> claim(1) }
#endif
    :: command[me] == STOP || stop -> goto leave
    fi;
    /* here it hangs, for as long as it likes; what it then writes, its slot is still its own */
    atomic { inside[j] = false; in = false; assert(s[i].job == j); c = finished[me] + 1; s[i].record = c };
    atomic {                                           /* compare-exchange of the whole word */
      is = (s[i].state == RUNNING && s[i].owner == me && s[i].gen == g);
      if :: is -> s[i].state = DONE; ended[j]++ :: else fi;
      i = 0; g = 0; j = 0
    };
#ifdef TSO
    unseen[me] = true;
#else
    atomic { runs[me] = false; jobs[me]++ };           /* read one by one, and whichever is new tells */
#endif
    if
    :: atomic { is -> is = false };
       atomic { finished[me] = c; c = 0 }
    :: atomic { else -> c = 0 }
    fi;
    goto loop;
 leave:
    atomic { flush(me); turn = false; serving[me]--; lives[me]++ };
    exited[id] = true
  } unless {
    atomic {
      killed[id] -> flush(me);
      if :: in -> inside[j] = false :: else fi;
      if :: turn -> serving[me]-- :: else fi;
      exited[id] = true
    }
  }
}
#ifdef TSO
proctype drain() { end: do :: atomic { unseen[0] -> flush(0) } :: atomic { unseen[2] -> flush(2) } od }
#endif
#ifdef DEATH
proctype killer() { if :: killed[0] = true :: atomic { threads > 1 -> killed[1] = true } :: atomic { threads > 2 -> killed[2] = true } :: true fi }
#endif

byte at0; byte spare; byte theThread[3];               /* the supervisor's own: column in service, spare's column, thread of a column */
bool condemned[THREADS]; bool replaced[THREADS];
bool retiredSlot[THREADS * 2];

inline start(col, when) {
  theThread[col] = threads; columnOf[threads] = col; threads++;
  run thread(threads - 1, col, when)
}
inline makeSpare(col) { atomic { command[col] = RUN; spare = col; start(col, lives[col] + 1) } }
inline install(k) {
  atomic { at0 = spare; k = spare; spare = NONE };
  lives[k] = lives[k] + 1                              /* its turn */
}
/* The supervisor counts a job's outcome before the job is done: what it announced the late thread may overwrite. A
   frame's column comes after, or the frame would look complete too early. */
#ifdef SINGLE
inline endLost(k) { finished[SUP]++; s[k].state = DONE }
#else
inline endLost(k) { s[k].state = DONE; finished[SUP]++ }
#endif
/* What a thread that is gone has left, slot by slot. */
#define MAY_AGAIN(k) (s[k].job == AGAIN && !s[k].reissued)
inline settleSlot(k) {
  atomic { st = s[k].state; g = s[k].gen; if :: s[k].owner != c -> st = FREE :: else fi };
  if
  :: st == RUNNING ->
     atomic {
       assert(s[k].state == RUNNING && s[k].owner == c && s[k].gen == g);
       if
       :: MAY_AGAIN(k) ->
#ifndef M_AGAIN_AND_AGAIN
          s[k].reissued = true;
#endif
          s[k].state = READY; s[k].owner = NOBODY; st = FREE
       :: else ->
          assert(!condemned[id]);                      /* its hung job was ended before: this would be another one */
          s[k].owner = SUP; ended[s[k].job]++
       fi
     };
     if
     :: st == RUNNING -> endLost(k)
     :: else
     fi
  :: st == DONE ->
     r = s[k].record;
     if
     :: atomic { s[k].state == DONE && s[k].owner == c && s[k].gen == g && r == finished[c] + 1 -> finished[c] = r }
     :: else
     fi
  :: else
  fi;
  atomic { g = 0; st = 0; r = 0 }
}
/* Ends what a thread runs that may still write. */
inline retireSlot(k) {
  atomic {
    busy = (s[k].state == RUNNING && s[k].owner == c);
    if
    :: busy && MAY_AGAIN(k) ->
#ifdef M_AGAIN_AT_ONCE
       s[k].reissued = true; s[k].state = READY; s[k].owner = NOBODY;
#endif
       busy = false
    :: busy && !MAY_AGAIN(k) ->
       assert(s[k].job == hung);                       /* the job that was seen, and no other */
       ended[hung]++; s[k].owner = SUP; retiredSlot[id * 2 + k] = true
    :: else
    fi
  };
  if
  :: busy ->
#if !defined(M_NO_FLAG) && !defined(M_FLAG_AFTER)
     s[k].retired = true;
#endif
     endLost(k);
#ifdef M_FLAG_AFTER
     s[k].retired = true;
#endif
     busy = false
  :: else
  fi
}
inline releaseSlot(k) {
  if :: atomic { retiredSlot[id * 2 + k] -> retiredSlot[id * 2 + k] = false; s[k].retired = false } :: else fi
}
#define HUNG(k) if :: s[k].state == RUNNING && s[k].owner == c -> hung = s[k].job :: else fi
#define GONE(k) :: atomic { exited[k] -> exited[k] = false; id = k } -> goto gone
proctype supervisor() {
  byte id, c, i, g, st, r, n, hangs, hung;
  bool busy;
 endloop:
  atomic { id = 0; c = 0; i = 0; g = 0; st = 0; r = 0; n = 0; hung = 0; busy = false };
  if
  :: atomic { hangs < HANGS && at0 != NONE && runs[at0] ->
       c = at0; id = theThread[c]; hangs++; hung = NONE;
       HUNG(0);
#if S > 1
       HUNG(1);
#endif
       n = jobs[c]
     };
#ifndef M_NO_STOP
     command[c] = STOP;
#endif
#ifdef M_WORDS_FIRST
     busy = runs[c];
     if :: jobs[c] != n -> busy = false :: else fi;
#endif
#ifndef M_NO_SLOT
     /* the states of slots are exchanged: who is seen to run a job by them sees the command before the next one */
     atomic {                                          /* one look at each slot; nothing hides, its thread runs one at a time */
       if :: (s[0].state == RUNNING && s[0].owner == c) -> st = 1 :: else fi;
#if S > 1
       if :: (s[1].state == RUNNING && s[1].owner == c) -> st = 1 :: else fi
#endif
     };
#else
     st = 1;
#endif
#ifdef M_NO_SECOND_LOOK
     busy = true; st = 1;
#endif
#ifndef M_WORDS_FIRST
#ifndef M_NO_SECOND_LOOK
     busy = runs[c];
     if :: jobs[c] != n -> busy = false :: else fi;
#endif
#endif
     if
     :: !busy || st == 0 -> command[c] = RUN; goto endloop         /* it went on: it stays in service, unless it has left */
     :: else
     fi;
     retireSlot(0);
#if S > 1
     retireSlot(1);
#endif
     condemned[id] = true;
     at0 = NONE;
     if
     :: spare != NONE -> install(i); replaced[id] = true
     :: else
     fi;
#ifdef M_COLUMN_AT_ONCE
     makeSpare(c);
#endif
     killed[id] = true                                 /* its exit event comes later */
  GONE(0) GONE(1) GONE(2) GONE(3) GONE(4) GONE(5) GONE(6)
  fi;
  goto endloop;
 gone:
  c = columnOf[id];
#ifndef M_NO_SETTLE
  runs[c] = false;
  settleSlot(0);
#if S > 1
  settleSlot(1);
#endif
#endif
#ifndef M_NO_RELEASE
  releaseSlot(0);
#if S > 1
  releaseSlot(1);
#endif
#endif
  if
  :: stop || c == 1 -> skip
  :: !stop && c != 1 && spare == c && theThread[c] == id -> makeSpare(c)   /* it waited */
  :: else ->
     if
     :: condemned[id] && replaced[id] ->
#ifndef M_COLUMN_AT_ONCE
        makeSpare(c);
#endif
        skip
     :: else ->                                        /* it died, left, or was condemned and not replaced */
        if
        :: spare != NONE -> install(i); makeSpare(c)
        :: else -> atomic { at0 = c; command[c] = RUN; start(c, lives[c]) }
        fi
     fi
  fi;
  goto endloop
}

proctype host() {
  byte k, n, job, opened;
  bool member[S]; bool held[S];
  do
  :: opened < FRAMES ->
     n = 0;
     do
     :: n < JOBS(opened) ->
        if
        :: atomic { !member[0] && (s[0].state == FREE || (held[0] && !s[0].retired)) -> k = 0 }
#if S > 1
        :: atomic { !member[1] && (s[1].state == FREE || (held[1] && !s[1].retired)) &&
                    !(!member[0] && (s[0].state == FREE || (held[0] && !s[0].retired))) -> k = 1 }
#endif
        fi;
        atomic {
          held[k] = false; s[k].state = FREE; s[k].owner = NOBODY; s[k].gen = (s[k].gen + 1) % 8;
          s[k].job = job; s[k].reissued = false; s[k].retired = false; member[k] = true
        };
        s[k].state = READY;
        job++; n++
     :: else -> break
     od;
#ifdef SINGLE
     k = 0;
     do
     :: k < S ->
        if
        :: member[k] ->
           s[k].state == DONE;
           (s[k].owner == SUP || finished[s[k].owner] >= s[k].record)   /* counted */
        :: else
        fi;
        k++
     :: else -> break
     od;
#else
     atomic { SUM == job -> n = 0 };                   /* the join */
#endif
     k = 0;
     do
     :: k < S ->
        if
        :: member[k] ->
           atomic { assert(s[k].state == DONE && ended[s[k].job] == 1); member[k] = false };
           if
           :: s[k].retired -> held[k] = true           /* not used again before its thread is gone */
           :: else -> s[k].state = FREE; s[k].owner = NOBODY
           fi
        :: else
        fi;
        k++
     :: else -> break
     od;
     atomic { opened++; k = 0 }
  :: else -> break
  od;
  stop = true
}

proctype monitor() {
  byte k;
  timeout ->                                           /* nothing can move */
    assert(stop);                                      /* every join returned: somebody served all the time */
    do :: k < N -> assert(ended[k] == 1); k++ :: else -> break od;
    assert(SUM == N);
    assert(!s[0].retired);
#if S > 1
    assert(!s[1].retired)
#endif
}

init {
  atomic {
    s[0].owner = NOBODY; spare = NONE;
#if S > 1
    s[1].owner = NOBODY;
#endif
    start(0, 0);
#if WORKERS > 1
    start(1, 0);
#endif
#if SPARES > 0
    makeSpare(2);
#endif
    run supervisor(); run host();
#ifdef TSO
    run drain();
#endif
#ifdef DEATH
    run killer();
#endif
    run monitor()
  }
}
