/* A reload: two workers hand over to threads with the new code between two frames; one that begins meanwhile is held.
   See README.md for what is shown, what each mutant breaks and the sizes.

   Variants: DEATH  one of the old threads may die at any step: its job is run again, its successor begins at once */
#ifndef FRAMES
#define FRAMES 2
#endif
#define JPF 2
#define FREE 0
#define READY 1
#define RUNNING 2
#define DONE 3
byte job[JPF]; byte owner[JPF]; byte frame;          /* jobs of the present frame */
byte target; byte gate[2];                           /* its first stage: what stands for the end of the switch; host, supervisor */
bool open; bool held; bool switching;
bool handOver[2]; byte lives[2];
bool killed[2]; bool gone[2]; bool over; bool stop;
bool wasHeld[FRAMES]; byte by[FRAMES];               /* ghosts: the frame was held; which versions ran its jobs, 1 + 2 */
byte serving[2];

#define OPENED (gate[0] + gate[1] == target)
inline letGo(who) {
#ifdef M_PLAIN_LETGO
  if :: held -> held = false; gate[who]++ :: else fi
#else
  if :: atomic { held -> held = false }; gate[who]++ :: else fi
#endif
}

proctype thread(byte me; byte version) {
  byte i; bool in, left;
  {
#ifndef M_TURN_AT_ONCE
    lives[me] == version;
#endif
    atomic { serving[me]++; in = true; assert(serving[me] == 1) };
    do
    :: atomic { handOver[me] && version == 0 -> break }
    :: atomic {
         (job[0] == READY || job[1] == READY) && OPENED ->
         if :: job[0] == READY -> i = 0 :: else -> i = 1 fi;
         job[i] = RUNNING; owner[i] = me;
         assert(!over || version == 1);                /* none in old code after the switch */
         assert(!wasHeld[frame] || version == 1);
         by[frame] = by[frame] | (version + 1)
#ifndef DEATH
         ; assert(by[frame] != 3)                      /* none by two versions; a death hastens the change of its worker */
#endif
       };
       job[i] = DONE
    :: atomic { stop -> break }
    od;
    atomic { serving[me]--; in = false; left = true; lives[me]++ }
  } unless { atomic { killed[me] && version == 0 -> if :: in -> serving[me]--; in = false :: else fi; gone[me] = !left } }
}
#ifdef DEATH
proctype killer() { if :: killed[0] = true :: true fi }
proctype undertaker() {
  gone[0];
  if :: job[0] == RUNNING && owner[0] == 0 -> job[0] = READY :: else fi;
  if :: job[1] == RUNNING && owner[1] == 0 -> job[1] = READY :: else fi;
#ifndef M_NO_END_FOR_DEAD
  lives[0]++
#endif
}
#endif

proctype supervisor() {
  bool busy;
#ifdef M_LOOK_FIRST
  do :: busy = open; busy = busy || (job[0] != FREE && job[0] != DONE) || (job[1] != FREE && job[1] != DONE);
        if :: busy && !held -> skip :: else -> break fi od;
  switching = true;
#else
  switching = true;
  do
  :: busy = open;
     busy = busy || (job[0] != FREE && job[0] != DONE) || (job[1] != FREE && job[1] != DONE);
     if :: busy && !held -> skip :: else -> break fi
  od;
#endif
  handOver[0] = true;
  handOver[1] = true;
  lives[0] >= 1;
  lives[1] >= 1;
  over = true;
  switching = false;
  letGo(1)
}

proctype host() {
  bool is;
  do
  :: frame < FRAMES ->
#ifdef M_ASK_FIRST
     is = switching;
     open = true;
#else
     open = true;
     is = switching;
#endif
     if
     :: is ->
        atomic { target++; wasHeld[frame] = true };
        held = true;
#ifndef M_NO_SECOND_LOOK
        if :: !switching -> letGo(0) :: else fi
#endif
     :: else
     fi;
     job[0] = READY;
     job[1] = READY;
     open = false;
     atomic { OPENED && job[0] == DONE && job[1] == DONE -> assert(!held) };
     atomic { job[0] = FREE; job[1] = FREE; owner[0] = 9; owner[1] = 9; if :: frame == FRAMES - 1 -> frame = 0; break :: else -> frame++ fi }
  od;
  over;
  stop = true
}
proctype monitor() { timeout -> assert(stop && !held) }
init {
  atomic {
    owner[0] = 9; owner[1] = 9;
    run thread(0, 0); run thread(1, 0); run thread(0, 1); run thread(1, 1);
    run supervisor(); run host(); run monitor();
#ifdef DEATH
    run killer(); run undertaker();
#endif
  }
}
