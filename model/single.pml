/* Jobs outside frames: the host waits for one job, and frees a slot when its count is safe.
   See README.md for what is shown, what each mutant breaks and the sizes.

   A slot may be freed when its owner's total has reached the slot's record: then nothing is left to redo.
   Sizes: S = 2 slots, N jobs. Variants: KILL worker 0 dies at any step   EAGER the host submits two, then waits */
#ifndef N
#define N 3
#endif
#define HOST 2
#define SUP 3
#define NOBODY 7
#define FREE 0
#define READY 1
#define RUNNING 2
#define DONE 3
typedef Slot { byte state; byte owner; byte gen; byte job; byte record };
Slot s[2];
byte total[4]; byte ended[4]; byte outcomes[N];
bool hostWaiting; byte completionEpoch; bool asleep;
bool killed[2]; bool exited[2]; bool stop;

inline wake() { completionEpoch++; asleep = false }
inline claim(n) { i = n; s[i].state = RUNNING; s[i].owner = me; j = s[i].job }

proctype worker(byte me) {
  byte i, j, r;
  bool waiting;
  {
    true;
 loop:
    if
    :: atomic { s[0].state == READY -> claim(0) }
    :: atomic { s[1].state == READY -> claim(1) }
    :: atomic { stop -> goto end }
    fi;
    atomic { r = total[me] + 1; s[i].record = r };
#ifdef M_LOOK_BEFORE_DONE
    waiting = hostWaiting;
#endif
    atomic { assert(s[i].state == RUNNING && s[i].owner == me); s[i].state = DONE; outcomes[j]++; ended[me]++; i = 0; j = 0 };
    atomic { total[me] = r; r = 0 };
#ifndef M_LOOK_BEFORE_DONE
    waiting = hostWaiting;
#endif
    if :: waiting -> wake(); waiting = false :: else fi;
    goto loop
  } unless { atomic { killed[me] -> exited[me] = true } };
 end: skip
}

#ifdef KILL
proctype killer() { if :: killed[0] = true :: true fi }

proctype supervisor() {
  byte i, st, g, r;
 end: exited[0];
  do
  :: i < 2 ->
     atomic { st = s[i].state; g = s[i].gen; if :: s[i].owner != 0 -> st = FREE :: else fi };
     if
     :: st == RUNNING ->
        atomic { s[i].state = DONE; s[i].owner = SUP; outcomes[s[i].job]++; ended[SUP]++ };
        total[SUP] = total[SUP] + 1
     :: st == DONE ->
        r = s[i].record;
        if
#ifdef M_NO_REREAD
        :: true ->
#else
        :: s[i].state == DONE && s[i].owner == 0 && s[i].gen == g ->
#endif
           if :: r > total[0] -> total[0] = r :: else fi
        :: else
        fi
     :: else
     fi;
     i++
  :: else -> break
  od;
#ifndef M_NO_SUPERVISOR_WAKE
  wake()
#endif
}
#endif

#ifdef M_FREE_AT_DONE
#define COUNTED(k) true
#else
#define COUNTED(k) (s[k].owner >= HOST || total[s[k].owner] >= s[k].record)
#endif
#define USABLE(k) (!member[k] && (s[k].state == FREE || (s[k].state == DONE && COUNTED(k))))
proctype host() {
  byte k, e, job;
  bool member[2];
  bool ended1;
  do
  :: job < N ->
     if :: USABLE(0) -> k = 0 :: !USABLE(0) && USABLE(1) -> k = 1 fi;   /* neither: refused, submitted again later */
     atomic { s[k].state = FREE; s[k].owner = NOBODY; s[k].gen = (s[k].gen + 1) % 8; s[k].job = job; member[k] = true };
     s[k].state = READY;
     job++;
#ifdef EAGER
     if :: member[0] && member[1] -> skip :: job < N && !(member[0] && member[1]) -> goto again :: job == N && !(member[0] && member[1]) -> skip fi;
#endif
     do
     :: member[0] || member[1] ->
        if :: member[0] -> k = 0 :: else -> k = 1 fi;
#ifndef M_FLAG_AFTER_LOOK
        hostWaiting = true;
#endif
        do
        ::
#ifndef M_EPOCH_AFTER_LOOK
           e = completionEpoch;
#endif
           ended1 = (s[k].state == DONE);
#ifdef M_FLAG_AFTER_LOOK
           hostWaiting = true;
#endif
           if :: ended1 -> break :: else fi;
#ifdef M_EPOCH_AFTER_LOOK
           e = completionEpoch;
#endif
           atomic { if :: completionEpoch == e -> asleep = true :: else fi };
           !asleep
        od;
        hostWaiting = false;
        atomic { assert(outcomes[s[k].job] == 1); member[k] = false; ended1 = false; e = 0 }
     :: else -> break
     od;
 again: k = 0
  :: else -> break
  od;
  stop = true
}

proctype monitor() {
  timeout ->
    assert(stop);
    assert(total[0] == ended[0] && total[1] == ended[1] && total[SUP] == ended[SUP]);
    assert(total[0] + total[1] + total[SUP] == N)
}

init {
  atomic {
    s[0].owner = NOBODY; s[1].owner = NOBODY;
    run worker(0); run worker(1); run host();
#ifdef KILL
    run killer(); run supervisor();
#endif
    run monitor()
  }
}
