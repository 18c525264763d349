/* Releases of a periodic lane, and who takes them over when the releaser dies at any step.
   See README.md for what is shown, what each mutant breaks and the sizes.

   The releaser publishes periods that are due into a ring that only it fills, and passes over those that are too late.
   When it dies the supervisor settles what it left, then names the next one.
   Sizes:    P periods, DEATHS of the releaser (two more workers follow it)
   Variants: OTHER  a worker that releases nothing dies as well: what it left is settled while the releaser goes on */
#ifndef P
#define P 4
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#define SUP 4
#define NONE 9
#define FREE 0
#define READY 1
#define DONE 2

typedef Slot { byte state; byte period; byte stage };
Slot s[2];
byte releaser; byte next; byte released;   /* the lane's words */
byte skipped[5];                           /* periods counted as passed over, by column */
byte due;                                  /* periods whose time has come */
bool killed[4]; bool gone[4];
byte published[P]; byte passed[P];         /* ghosts: how often a period was released, passed over */

proctype time() { do :: due < P -> due++ :: else -> break od }
/* Runs the jobs, whoever that is. */
proctype runner() { end: do :: atomic { s[0].state == READY -> s[0].state = DONE } :: atomic { s[1].state == READY -> s[1].state = DONE } od }

inline goOnTo(to) { atomic { k = mine; mine = to; do :: k < mine -> passed[k]++; k++ :: else -> break od; next = mine; k = NONE } }

proctype worker(byte me) {
  byte mine, k, r, n;
  {
    releaser == me;
    mine = next;                                       /* nobody else writes it now */
    do
    :: mine < due ->
       n = due - mine - 1;
       if
       :: n > 0 ->                                     /* all but the newest are too late */
#ifdef M_COUNT_FIRST
          skipped[me] = skipped[me] + n;
#endif
          goOnTo(mine + n);
#ifndef M_COUNT_FIRST
          skipped[me] = skipped[me] + n
#endif
       :: else
#ifdef M_NEXT_AT_END
       :: n > 0                                        /* or they are not, and are published in one go */
#endif
       fi;
       atomic {                                        /* takes a slot whose job is over */
         k = NONE;
         if :: s[0].state != READY -> k = 0 :: s[0].state == READY && s[1].state != READY -> k = 1 :: else fi;
         if :: k != NONE -> s[k].state = FREE :: else fi
       };
       if
       :: k == NONE ->                                 /* the ring is full: this one cannot be served */
          goOnTo(mine + 1);
          skipped[me] = skipped[me] + 1
       :: else ->
          r = released + 1;
          atomic { s[k].period = mine; s[k].stage = r };
          atomic { s[k].state = READY; published[mine]++ };
          released = r;
#ifdef M_NEXT_AT_END
          atomic { mine++; if :: mine == due -> next = mine :: else fi };
#else
          atomic { mine++; next = mine };
#endif
          skip
       fi;
       atomic { n = 0; k = 0; r = 0 }
    :: atomic { mine == P -> break }
    od
  } unless { atomic { killed[me] -> gone[me] = true } }
}

proctype killer() {
  byte n;
  do :: n < DEATHS -> atomic { killed[releaser] = true; n++ } :: break od
#ifdef OTHER
  ; gone[3] = true
#endif
}

/* Of one slot: the period that was published last, and not counted. */
inline finishRelease(k) {
  if
  :: s[k].state != FREE ->
     r = released;
     if :: s[k].stage == r + 1 -> released = r + 1 :: else fi;
#ifndef M_NOT_FOUND
     r = next;
     if :: s[k].period == r -> next = r + 1 :: else fi;
#endif
     r = 0
  :: else
  fi
}
proctype supervisor() {
  byte c, r, n;
 endloop:
  if
  :: atomic { gone[0] -> gone[0] = false; c = 0 }
  :: atomic { gone[1] -> gone[1] = false; c = 1 }
  :: atomic { gone[2] -> gone[2] = false; c = 2 }
  :: atomic { gone[3] -> gone[3] = false; c = 3 }
  fi;
#ifdef M_NAMED_FIRST
  if :: releaser == c -> releaser = c + 1; c = c + 1 :: else fi;
#endif
  if
  :: releaser == c ->
     finishRelease(0);
     finishRelease(1);
#ifndef M_NO_SKIPPED
     n = next - released;
     n = n - skipped[0] - skipped[1] - skipped[2] - skipped[SUP];
     if :: n > 0 && n < 128 -> skipped[SUP] = skipped[SUP] + n :: else fi;
#endif
#ifndef M_NAMED_FIRST
     releaser = c + 1
#endif
  :: else ->
#ifdef M_ANY_RELEASER
     finishRelease(0);
     finishRelease(1)
#endif
  fi;
  atomic { c = 0; r = 0; n = 0 };
  goto endloop
}

proctype monitor() {
  byte k, a, b;
  timeout ->
    assert(next == P);
    do :: k < P -> assert(published[k] + passed[k] == 1); a = a + published[k]; b = b + passed[k]; k++ :: else -> break od;
    assert(released == a);
    assert(skipped[0] + skipped[1] + skipped[2] + skipped[SUP] == b)
}

init {
  atomic {
    s[0].period = 99; s[1].period = 99;
    run worker(0); run worker(1); run worker(2); run time(); run runner(); run killer(); run supervisor(); run monitor()
  }
}
