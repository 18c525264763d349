/* The bell. Lanes A = 0, B = 1. Worker 0 serves A and B, worker 1 serves B. A job may run for ever (a legal end).
   See README.md for what is shown, what each mutant breaks and the sizes.

   BELL:     1 one shared word, notify one    2 one shared word, notify all
             3 a word per worker, the ringer rings ONE parked worker of the lane
             4 as 3, and a worker that claims and leaves another job ready rings on before it runs
             5 a word per worker, ring every worker of the lane
   Variants: DEATH a worker may die anywhere, once   HEAL the supervisor then rings everybody
             WRONGFIRST the ringer tries the less specialised worker first
             DECLINE worker 0 may hold itself free for lane A and take no job of B (BELL 4)
   Shown: when nothing can move, no job is ready in a lane while a worker that would take it is parked. */
#ifndef BELL
#define BELL 3
#endif
#ifndef NJ
#define NJ 3
#endif
#define AWAKE 0
#define PARKED 1
#define RUNG 2
byte ready[2]; byte bell; byte npark; byte word[2]; bool waiting[2]; byte seen[2];
bool inwait[2]; bool dead[2]; bool longrun[2]; bool declines[2]; byte deaths; byte syscalls; byte spurious; byte claimed;
#define serves(w,l) (w == 0 || l == 1)
#ifdef DEATH
#define DIE if :: atomic { deaths < 1 -> deaths++; dead[me] = true }; goto end :: skip fi
#else
#define DIE skip
#endif
inline ringLane(l) {
#if BELL == 1 || BELL == 2
  bell++;
  if :: npark > 0 -> /* Atomics.notify(bell, 1 or all) */
#if BELL == 1
     if :: inwait[0] -> inwait[0] = false :: inwait[1] -> inwait[1] = false :: else fi
#else
     atomic { inwait[0] = false; inwait[1] = false }
#endif
  :: else fi
#elif BELL == 5
  atomic { word[1] = RUNG } ; if :: l == 1 -> inwait[1] = false :: else fi;
  atomic { word[0] = RUNG } ; inwait[0] = false
#else
  /* ring one: try the most specialised worker first */
#ifdef WRONGFIRST
  atomic { if :: word[0] == PARKED -> word[0] = RUNG; t = 1 :: else -> t = 0 fi };
  if :: t -> inwait[0] = false
     :: else -> if :: l == 1 -> atomic { if :: word[1] == PARKED -> word[1] = RUNG; t = 1 :: else -> t = 0 fi };
        if :: t -> inwait[1] = false :: else fi :: else fi
  fi; t = 0
#else
  if :: l == 1 ->
        atomic { if :: word[1] == PARKED -> word[1] = RUNG; t = 1 :: else -> t = 0 fi };
        if :: t -> inwait[1] = false
           :: else ->
              atomic { if :: word[0] == PARKED -> word[0] = RUNG; t = 1 :: else -> t = 0 fi };
              if :: t -> inwait[0] = false :: else fi
        fi
     :: else ->
        atomic { if :: word[0] == PARKED -> word[0] = RUNG; t = 1 :: else -> t = 0 fi };
        if :: t -> inwait[0] = false :: else fi
  fi; t = 0
#endif
#endif
}
proctype worker(byte me) {
  byte v, l, t;
#ifdef DECLINE
  if :: me == 0 -> declines[0] = true :: true fi;
#endif
 loop:
#if BELL <= 2
  v = bell;
#endif
  /* look */
 look:
  DIE;
  if
  :: atomic { me == 0 && ready[0] > 0 -> ready[0]-- }; claimed++; l = 0; goto got
#ifdef DECLINE
  :: atomic { !(me == 0 && ready[0] > 0) && ready[1] > 0 && declines[me] -> skip };
#ifndef M_DECLINE_SILENTLY
     /* the ring for this job may have come to us: pass it on */
     atomic { if :: word[1] == PARKED -> word[1] = RUNG; t = 1 :: else -> t = 0 fi };
     if :: t -> inwait[1] = false :: else fi; t = 0
#endif
#endif
  :: atomic { !(me == 0 && ready[0] > 0) && ready[1] > 0 && !declines[me] -> ready[1]-- }; claimed++; l = 1; goto got     /* A has the earlier deadline */
  :: atomic { !(me == 0 && ready[0] > 0) && ready[1] == 0 -> skip }
  fi;
  /* nothing: park */
#if BELL <= 2
  npark++;
  DIE;
  atomic { if :: bell == v -> inwait[me] = true :: else fi };
  !inwait[me];
  npark--;
#else
  if :: word[me] == RUNG -> word[me] = AWAKE; goto look :: else fi;
  atomic { if :: word[me] == AWAKE -> word[me] = PARKED :: else -> word[me] = AWAKE; goto look fi };
  DIE;
#ifndef M_NO_RECHECK
  if :: (me == 0 && ready[0] > 0) || (ready[1] > 0 && !declines[me]) ->
        atomic { if :: word[me] == PARKED -> word[me] = AWAKE :: else -> word[me] = AWAKE fi };   /* un-park ourselves; a ring that came meanwhile is consumed: we look */
        goto look
     :: else fi;
#endif
  atomic { if :: word[me] == PARKED -> inwait[me] = true :: else fi };   /* Atomics.wait(word, PARKED) */
  !inwait[me];
  word[me] = AWAKE;
#endif
  goto loop;
 got:
  DIE;
#if BELL == 4
  /* chain: something else is still ready for somebody: ring on, before running */
  if :: ready[1] > 0 -> ringLane(1) :: else fi;
  if :: ready[0] > 0 -> ringLane(0) :: else fi;
#endif
  DIE;
  if :: true -> goto loop                       /* short job */
     :: true -> longrun[me] = true; goto end    /* runs "for ever" */
  fi;
 end: false -> skip
}
proctype producer(byte lo) {
  byte n, l, t;
  do :: n < NJ -> 
        if :: l = 0 :: l = 1 fi;
#ifdef M_RING_FIRST
        ringLane(l);
        ready[l]++;
#else
        ready[l]++;            /* publish: state, then HEAD; this is the store of HEAD, by which workers see it */
        ringLane(l);
#endif
        n++
     :: else -> break od
}
#if defined(DEATH) && defined(HEAL)
proctype supervisor() { 
  (dead[0] || dead[1]);
#if BELL <= 2
  bell++; inwait[0] = false; inwait[1] = false
#else
#ifdef M_TEST_THEN_STORE
  if :: word[0] != AWAKE -> word[0] = RUNG; inwait[0] = false :: else -> word[0] = RUNG fi;
  if :: word[1] != AWAKE -> word[1] = RUNG; inwait[1] = false :: else -> word[1] = RUNG fi
#else
  /* exchange, then notify: never a test followed by a store */
  word[0] = RUNG; inwait[0] = false; word[1] = RUNG; inwait[1] = false
#endif
#endif
}
#endif
proctype monitor() {
  timeout ->
    assert(!(ready[1] > 0 && ((inwait[0] && !dead[0] && !declines[0]) || (inwait[1] && !dead[1]))));
    assert(!(ready[0] > 0 && inwait[0] && !dead[0]))
}
init { atomic { run worker(0); run worker(1); run producer(0);
#ifdef TWO
 run producer(0);
#endif
#if defined(DEATH) && defined(HEAL)
 run supervisor();
#endif
 run monitor() } }
