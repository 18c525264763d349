/* Picking: positions, cursor, out-of-order mark, waiting slots, jumps, re-issue. One ring, two workers.
   See README.md for what is shown, what each mutant breaks and the sizes.

   Deadlines are 1 or 2 (DEADLINES). Slots are freed in any order, so the producer skips positions.
   Sizes:    S slots, N jobs
   Variants: WAIT     the first job is published waiting and is released at any later time
             JUMP     one slot may be reserved first and is committed later at a position of its own
             REISSUE  a worker may die while running; the supervisor makes its slot ready again
             MARK_LIVE_MAXIMUM  out of order means: earlier than the latest deadline not yet freed,
                      instead of: earlier than the submission before it
             LAX      the sequence check asks for `before the head` instead of `this very position`
   Shown: at a successful claim no other job that was ready when the scan began, and still is, comes
   earlier in (deadline, sequence); and nothing stays ready while the workers park. */
#ifndef S
#define S 2
#endif
#ifndef N
#define N 3
#endif
#ifndef DEADLINES
#define DEADLINES 2
#endif
#define FREE 0
#define WRITING 1
#define WAITING 2
#define READY 3
#define RUNNING 4
#define DONE 5
#define NONE 255

byte state[S]; byte gen[S]; byte owner[S];          /* one word each slot: read and exchanged together */
byte seq[S]; byte deadline[S];
byte head; byte mark; byte epoch;
bool rung[2];                                       /* every ring reaches both; who is rung is shown in bell.pml */
bool dead[2]; byte deaths; bool stop;
bool unseen[S];                                     /* ghost: re-issued, epoch not yet raised */
byte issue[S];                                      /* ghost: which publication or re-issue this is */
byte issues;
byte doneCount; byte waits; byte reserves;

#define RING rung[0] = true; rung[1] = true
#define WRITE_FIELDS(k, p, x) deadline[k] = x; seq[k] = p; issue[k] = issues; issues++; gen[k] = (gen[k] + 1) % 4
#define VISIBLE(k) (state[k] == READY && seq[k] < head && !unseen[k])
#define EARLIER(k, b) (deadline[k] < deadline[b] || (deadline[k] == deadline[b] && seq[k] < seq[b]))
#ifdef M_NO_GENERATION
#define SAME_GENERATION true
#else
#define SAME_GENERATION (gen[b] == bg)
#endif
#define CLEAR q = 0; f = 0; k = 0; g = 0; w = 0; b = 0; bg = 0; bd = 0; bs = 0; low = 0; x = 0; h = 0; \
  wide = false; stopped = false; minimum = false; ok = false; startedReady = 0
#define CLEAR_CLAIMED q = 0; f = 0; g = 0; w = 0; b = 0; bg = 0; bd = 0; bs = 0; low = 0; x = 0; h = 0; \
  wide = false; stopped = false; minimum = false; startedReady = 0
#define BIT(x) (1 << (x))

/* The slot's word, then its fields; the fields are trusted only if the claim succeeds.
   Two steps under SPLIT. One step otherwise: the generation in the claim makes up for what is lost. */
#define LOAD w = state[k]; g = gen[k]
#ifdef SPLIT
#define SEPARATELY }; atomic {
#else
#define SEPARATELY ;
#endif
#ifdef M_NO_SEQUENCE_CHECK
#define IN_PLACE true
#else
#ifdef LAX
#define IN_PLACE (f < h)
#else
#define IN_PLACE (f == q)
#endif
#endif
#ifdef M_PASS_WAITING
#define HOLDS_CURSOR (w == READY)
#else
#define HOLDS_CURSOR (w == READY || w == WAITING)
#endif
inline fields() { x = deadline[k]; f = seq[k] }
inline candidate() { if :: w == READY && (x < bd || (x == bd && f < bs)) -> b = k; bg = g; bd = x; bs = f :: else fi }
inline look() {                                     /* position q: only the job of this very position counts */
  if
  :: HOLDS_CURSOR && IN_PLACE -> stopped = true
  :: else -> if :: !stopped -> cursor = q + 1 :: else fi
  fi;
  if :: IN_PLACE -> candidate() :: else fi
}
inline lookWide() {                                 /* slot k: what was published after this scan began is left out */
  if
  :: HOLDS_CURSOR && f < h -> if :: f < low -> low = f :: else fi; candidate()
  :: else
  fi
}

proctype worker(byte me) {
  byte cursor, seen, h, q, k, f, g, w, b, bg, bd, bs, low, x;
  bool wide, stopped, minimum, ok;
  int startedReady;                                 /* ghost: issues ready when the scan began */
 loop:
  atomic {
    rung[me] = false;
    do :: k < S -> if :: VISIBLE(k) -> startedReady = startedReady | BIT(issue[k]) :: else fi; k++ :: else -> break od;
    k = 0; b = NONE; bd = 255; bs = 255
  };
#ifdef M_EPOCH_AFTER_SCAN
  wide = (seen != epoch);
#elif defined(REISSUE)
  atomic { if :: seen != epoch -> seen = epoch; wide = true :: else fi };
#endif
  h = head;
  atomic {
#ifdef M_RESET_TO_WINDOW
    if :: wide -> wide = false; cursor = (h > S -> h - S : 0) :: else fi;
#endif
#ifdef M_CLAMP
    if :: h > cursor + S -> cursor = h - S :: else fi;
#endif
    minimum = (cursor < mark);
    if :: h > cursor + S || minimum -> wide = true :: else fi;
    if :: wide -> low = h; q = 0 :: else -> q = cursor fi
  };
  do
  :: atomic { wide && k < S -> LOAD SEPARATELY fields(); lookWide(); k++ }
  :: atomic { !wide && q < h -> k = q % S; LOAD SEPARATELY fields(); look();
     if
     :: b != NONE -> break                          /* in order: the first ready slot is the earliest */
     :: else -> q++
     fi }
  :: atomic { wide && k >= S -> cursor = low; break }
  :: !wide && q >= h -> break
  od;
#ifdef M_EPOCH_AFTER_SCAN
  seen = epoch;
#endif
  if
  :: b == NONE ->
     atomic { CLEAR };
     if
     :: rung[me] -> goto loop
     :: stop -> goto end
     fi
  :: else
  fi;
  atomic {                                          /* claim: compare-exchange of the whole word */
    if
    :: state[b] == READY && SAME_GENERATION ->
       k = 0;
       do
       :: k < S ->
          assert(!(k != b && VISIBLE(k) && (startedReady & BIT(issue[k])) && EARLIER(k, b)));
          k++
       :: else -> break
       od;
       state[b] = RUNNING; owner[b] = me; k = b; CLEAR_CLAIMED; ok = true
    :: else
    fi
  };
  if :: atomic { !ok -> CLEAR }; goto loop :: else fi;
#ifdef REISSUE
  if :: atomic { deaths == 0 && me == 0 -> deaths++; dead[me] = true; goto end } :: true fi;
#endif
  atomic { state[k] = DONE; k = 0; ok = false; doneCount++; if :: doneCount == N -> stop = true :: else fi };
  goto loop;
 end: skip
}

inline publish(k, p, x, newState) {
  d_step {
#ifdef MARK_LIVE_MAXIMUM
    if :: state[0] <= WRITING && state[1] <= WRITING && (S == 2 || state[S - 1] <= WRITING) -> last = 0 :: else fi;
    late = (x < last); if :: x > last -> last = x :: else fi
#else
    late = (x < last); last = x
#endif
  };
#ifdef SPLIT
  d_step { WRITE_FIELDS(k, p, x) };
#endif
#ifndef M_MARK_AFTER
  if :: late -> mark = p + 1 :: else fi;
#endif
#ifdef M_HEAD_FIRST
  d_step { head = p + 1; RING };
  d_step { WRITE_FIELDS(k, p, x); state[k] = newState };
#elif defined(SPLIT)
  state[k] = newState;
  d_step { head = p + 1; RING };
#elif defined(M_RING_FIRST)
  d_step { WRITE_FIELDS(k, p, x); state[k] = newState; RING };
  head = p + 1;
#else
  d_step { WRITE_FIELDS(k, p, x); state[k] = newState };
  d_step { head = p + 1; RING };
#endif
#ifdef M_MARK_AFTER
  if :: late -> mark = p + 1 :: else fi;
#endif
}

#if S > 2
#define ANY_FREE (state[0] == FREE || state[0] == DONE || state[1] == FREE || state[1] == DONE || state[2] == FREE || state[2] == DONE)
#else
#define ANY_FREE (state[0] == FREE || state[0] == DONE || state[1] == FREE || state[1] == DONE)
#endif
proctype producer() {
  byte n, x, k, p, last, reserved;
  bool late;
  reserved = NONE;
  do
  :: n < N && ANY_FREE ->
     atomic {                                       /* bounded look for a free slot; only we change free */
       p = head;
       do
       :: p < head + S && state[p % S] == FREE -> break
       :: p < head + S && state[p % S] == DONE -> state[p % S] = FREE; break   /* freed by now */
       :: p < head + S && state[p % S] != FREE -> p++                         /* or not yet: skipped */
       :: p == head + S -> break
       od;
       k = p % S
     };
     if
     :: state[k] == FREE ->
        if :: x = 1 :: x = 2 :: DEADLINES > 2 -> x = 3 fi;
#ifdef WAIT
        if
        :: n == 0 -> waits = 1; publish(k, p, x, WAITING)
        :: n > 0 -> publish(k, p, x, READY)
        fi;
#else
        publish(k, p, x, READY);
#endif
        n++
#ifdef JUMP
     :: state[k] == FREE && reserves == 0 && n == 0 -> reserves = 1; reserved = k; state[k] = WRITING
#endif
     :: else
     fi;
     atomic { x = 0; p = 0; k = 0; late = false }
#ifdef JUMP
  :: n < N && reserved != NONE ->
     atomic { p = head; do :: p % S != reserved -> p++ :: else -> break od; k = reserved; reserved = NONE };
     if :: x = 1 :: x = 2 fi;
     publish(k, p, x, READY);
     n++; atomic { x = 0; p = 0; k = 0; late = false }
#endif
  :: atomic { n == N -> break }
  od
}

#ifdef WAIT
proctype releaser() {
  byte k;
  waits > 0;
  do
  :: atomic { state[0] == WAITING -> state[0] = READY }; break
  :: atomic { state[1] == WAITING -> state[1] = READY }; break
#if S > 2
  :: atomic { state[2] == WAITING -> state[2] = READY }; break
#endif
  od;
  RING
}
#endif

#ifdef REISSUE
proctype supervisor() {
  byte k;
 end: dead[0];
#ifdef M_EPOCH_FIRST
  epoch++;
#endif
  do
  :: k < S ->
     atomic { if :: state[k] == RUNNING && owner[k] == 0 -> owner[k] = 9; state[k] = READY; unseen[k] = true; issue[k] = issues; issues++ :: else fi };
     k++
  :: else -> break
  od;
  atomic {
#if !defined(M_EPOCH_FIRST) && !defined(M_NO_EPOCH)
    epoch++;
#endif
    k = 0; do :: k < S -> unseen[k] = false; k++ :: else -> break od
  };
  RING
}
#endif

proctype monitor() { timeout -> assert(stop) }

init {
  atomic {
    run worker(0); run worker(1); run producer();
#ifdef WAIT
    run releaser();
#endif
#ifdef REISSUE
    run supervisor();
#endif
    run monitor()
  }
}
