/* The life of a slot, the exact counters of a frame, a death at every step.
   See README.md for what is shown, what each mutant breaks and the sizes.

   Sizes:    S slots, FRAMES frames, JPF jobs in each, FS frame slots (frames in flight)
   Variants: CANCEL   the host cancels one job
             EXPIRY   a job may end expired instead of done
             KILL     one worker dies at any step (its exit event follows)
             REISSUE  the supervisor puts the dead worker's running job back, once
             RESPAWN  after a death a new worker takes over the dead one's index
   Every access to shared memory is one step; a worker may die between any two. */
#ifndef S
#define S 2
#endif
#ifndef FRAMES
#define FRAMES 2
#endif
#ifndef JPF
#define JPF 2
#endif
#ifndef FS
#define FS 1
#endif
#ifndef LAST
#define LAST JPF      /* jobs in the last frame */
#endif
#define N ((FRAMES - 1) * JPF + LAST)
#define JOBS(n) ((n) == FRAMES - 1 -> LAST : JPF)
#define HOST 2        /* columns and owners: workers 0 and 1, host, supervisor */
#define SUP 3
#define NOBODY 7
#define FREE 0
#define READY 1
#define RUNNING 2
#define DONE 4
#define EXPIRED 5
#define CANCELLED 6
#define LOST 7

typedef Slot {
  byte state; byte owner; byte gen;  /* one word: always read and exchanged together */
  byte job; byte frame;              /* header, written by the host before publishing */
  byte record; byte frameRecord      /* written by the owner before done; never reset */
};
Slot s[S];
byte total[4];                /* outcomes counted, one single writer each */
byte finished[FS * 4];        /* frame columns: monotone, never reset */
byte target[FS]; byte epoch[FS]; bool asleep[FS];
bool killed[2]; bool exited[2]; bool stop;
byte deaths; byte cancels; byte reissues;
byte outcomes[N];             /* ghost: how often the job was given an outcome */
byte ended[4];                /* ghost: outcomes given by each writer */

#define COL(f, w) finished[(f) * 4 + (w)]
#ifdef SPLIT
inline sumColumns(f, x) { x = COL(f, 0); x = x + COL(f, 1); x = x + COL(f, HOST); x = x + COL(f, SUP) }
#else                 /* two loads at a time: fewer states; SPLIT checks that nothing hides there */
inline sumColumns(f, x) { x = COL(f, 0) + COL(f, HOST); x = x + COL(f, 1) + COL(f, SUP) }
#endif
inline wake(f) { epoch[f]++; atomic { asleep[f] = false; x = 0; t = 0 } }
/* what every finisher does after its column store */
inline wakeIfComplete(f, t, x) {
  t = target[f];
  sumColumns(f, x);
  if :: x == t -> wake(f) :: atomic { else -> x = 0; t = 0 } fi
}
inline claim(n) { i = n; s[i].state = RUNNING; s[i].owner = me; g = s[i].gen; j = s[i].job; f = s[i].frame }

proctype worker(byte me) {
  byte i, g, j, f, r, c, t, x;
  {
    true;
 loop:
    if
    :: atomic { s[0].state == READY -> claim(0) }
    :: atomic { s[1].state == READY -> claim(1) }
    :: atomic { stop -> exited[me] = true; goto end }
    fi;
#ifdef M_COLUMN_FIRST
    COL(f, me) = COL(f, me) + 1;
#endif
    atomic {                                           /* own words are read: nobody else writes them */
      assert(s[i].job == j);                           /* is the slot still ours to write? */
      r = total[me] + 1; s[i].record = r
    };
    atomic { c = COL(f, me) + 1; s[i].frameRecord = c };
    atomic {                                           /* compare-exchange of the whole word */
      if
      :: s[i].state == RUNNING && s[i].owner == me && s[i].gen == g ->
         outcomes[j]++; ended[me]++;
#ifdef EXPIRY
         if :: s[i].state = DONE :: s[i].state = EXPIRED fi
#else
         s[i].state = DONE
#endif
      :: else -> i = 0; g = 0; j = 0; f = 0; r = 0; c = 0; goto loop
      fi
    };
    atomic { total[me] = r; r = 0; i = 0; g = 0; j = 0 };
#ifndef M_COLUMN_FIRST
    atomic { COL(f, me) = c; c = 0 };
#endif
    wakeIfComplete(f, t, x);
    f = 0;
    goto loop
  } unless { atomic { killed[me] -> exited[me] = true } };
 end: skip
}

#ifdef KILL
proctype killer() {
  if
  :: killed[0] = true                                  /* worker 1 would be the same by symmetry */
  :: true
  fi
}
#endif

proctype supervisor() {
  byte i, k, g, st, r, c, f, t, x;
  bool same;
 endloop:
  atomic { i = 0; g = 0; st = 0; r = 0; c = 0; f = 0; t = 0; x = 0; same = false; k = 0 };
  if
  :: atomic { exited[0] -> exited[0] = false; k = 0 }
  :: atomic { exited[1] -> exited[1] = false; k = 1 }
  fi;
#if defined(RESPAWN) && defined(M_RESPAWN_FIRST)
  if :: atomic { killed[k] -> killed[k] = false; run worker(k) } :: else fi;
#endif
  i = 0;
  do
  :: i < S ->
     d_step { st = s[i].state; g = s[i].gen; if :: s[i].owner != k -> st = FREE :: else fi };
     if
     :: st == RUNNING ->
#ifdef REISSUE
        if
        :: atomic { reissues == 0 -> reissues++; s[i].owner = NOBODY; s[i].state = READY }; st = 0
        :: true
        fi;
#endif
        if
        :: st == RUNNING ->
           atomic {
             assert(s[i].state == RUNNING && s[i].gen == g);
             s[i].state = LOST; outcomes[s[i].job]++; ended[SUP]++;
#ifndef M_REDO_LOST
             s[i].owner = SUP
#endif
           };
#ifdef M_REDO_LOST
           r = s[i].record;
           if :: r > total[k] -> total[k] = r :: else fi;
#endif
           f = s[i].frame;
           total[SUP] = total[SUP] + 1;
           COL(f, SUP) = COL(f, SUP) + 1
        :: else
        fi
     :: st == DONE || st == EXPIRED ->
        r = s[i].record;
        c = s[i].frameRecord;
        f = s[i].frame;
#ifdef M_NO_REREAD
        same = true;
#else
        same = (s[i].state == st && s[i].owner == k && s[i].gen == g);  /* else what was read may be another job's */
#endif
        if
        :: same ->
#ifdef M_REDO_ADD
           total[k] = total[k] + 1; COL(f, k) = COL(f, k) + 1
#else
           if :: r > total[k] -> total[k] = r :: else fi;
#ifndef M_NO_FRAME_RECORD
#ifdef M_RESET_COLUMNS
           t = COL(f, k);
           if :: c > t -> t = c :: else fi;
           COL(f, k) = t
#else
           if :: c > COL(f, k) -> COL(f, k) = c :: else fi
#endif
#endif
#endif
        :: else
        fi
     :: else
     fi;
     i++
  :: else -> break
  od;
#ifndef M_NO_SUPERVISOR_WAKE
  f = 0;
  do :: f < FS -> wakeIfComplete(f, t, x); f++ :: else -> break od;
#endif
#if defined(RESPAWN) && !defined(M_RESPAWN_FIRST)
  if :: atomic { killed[k] -> killed[k] = false; run worker(k) } :: else fi;
#endif
  goto endloop
}

proctype host() {
  byte k, f, n, e, x, job, opened, closed;
  byte accepted[FS];
  byte member[S];                                      /* frame number + 1 of the slot's job */
  do
  :: opened < FRAMES && opened - closed < FS ->        /* begin a frame and submit its jobs */
     f = opened % FS; n = 0;
#ifdef M_RESET_COLUMNS
     accepted[f] = 0; target[f] = 255; COL(f, 0) = 0; COL(f, 1) = 0; COL(f, 2) = 0; COL(f, 3) = 0;
#endif
     do
     :: n < JOBS(opened) ->
        if
        :: member[0] == 0 && (s[0].state == FREE || s[0].state == LOST) -> k = 0
        :: !(member[0] == 0 && (s[0].state == FREE || s[0].state == LOST)) &&
           member[1] == 0 && (s[1].state == FREE || s[1].state == LOST) -> k = 1
        fi;
        atomic {
          s[k].state = FREE; s[k].owner = NOBODY; s[k].gen = (s[k].gen + 1) % 8;
          s[k].job = job; s[k].frame = f; member[k] = opened + 1
        };
        s[k].state = READY;
        accepted[f]++; job++; n++
     :: else -> break
     od;
     opened++;
     n = 0; k = 0
  :: closed < opened ->                                /* join the oldest frame */
     f = closed % FS;
#ifdef CANCEL
     if
     :: cancels == 0 ->
        cancels++; k = 0;
        atomic {
          if
          :: s[k].state == READY && member[k] == closed + 1 ->
             s[k].state = CANCELLED; s[k].owner = HOST; outcomes[s[k].job]++; ended[HOST]++; x = 1
          :: else -> x = 0
          fi
        };
        if :: x == 1 -> total[HOST] = total[HOST] + 1; COL(f, HOST) = COL(f, HOST) + 1 :: else fi
     :: true
     fi;
#endif
#ifndef M_TARGET_AFTER_SUM
     target[f] = accepted[f];
#endif
     do
     ::
#ifndef M_EPOCH_AFTER_SUM
        e = epoch[f];
#endif
        sumColumns(f, x);
#ifdef M_TARGET_AFTER_SUM
        target[f] = accepted[f];
#endif
#ifdef M_FREE_AT_DONE
        if :: s[0].state >= DONE && s[1].state >= DONE -> x = accepted[f] :: else fi;   /* slot words instead of the sum */
#endif
        if :: x == accepted[f] -> break :: else fi;
        assert(x < accepted[f]);
#ifdef M_EPOCH_AFTER_SUM
        e = epoch[f];
#endif
        atomic { if :: epoch[f] == e -> asleep[f] = true :: else fi };
        !asleep[f]
     od;
     k = 0;
     do
     :: k < S ->
        if
        :: member[k] == closed + 1 ->
           atomic {
             assert(s[k].state >= DONE);
             assert(outcomes[s[k].job] == 1);
             member[k] = 0;
             s[k].state = FREE; s[k].owner = NOBODY
           }
        :: else
        fi;
        k++
     :: else -> break
     od;
     closed++;
     k = 0; e = 0; x = 0
  :: closed == FRAMES -> break
  od;
  stop = true
}

proctype monitor() {
  byte k;
  timeout ->                                           /* nothing can move */
    assert(stop);                                      /* every join returned */
    k = 0;
    do :: k < 4 -> assert(total[k] == ended[k]); k++ :: else -> break od;
    assert(total[0] + total[1] + total[2] + total[3] == N);
    assert(s[0].state == FREE || s[0].state == LOST);
    assert(s[1].state == FREE || s[1].state == LOST)
}

init {
  atomic {
    s[0].owner = NOBODY; s[1].owner = NOBODY;
    run worker(0); run worker(1); run supervisor(); run host();
#ifdef KILL
    run killer();
#endif
    run monitor()
  }
}
