#!/bin/bash
# Runs the models with Spin: what must hold, and mutants that must fail. README.md says what each one shows.
#   model/check.sh          a minute or two on two cores
#   model/check.sh --long   larger sizes as well: more minutes, up to 8 GB of memory each
# Needs spin and a C compiler; without them it says SKIPPED and ends with 0. Ends with 1 where a result differs.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1

# result-wanted, model, flags
runs='
holds slot -DSPLIT
holds slot -DCANCEL -DEXPIRY -DLAST=1
holds slot -DKILL -DCANCEL -DLAST=1
holds slot -DKILL -DJPF=1 -DFRAMES=3
holds slot -DKILL -DJPF=1 -DFRAMES=2 -DFS=2 -DCANCEL
holds slot -DKILL -DREISSUE -DLAST=1
holds slot -DKILL -DRESPAWN -DLAST=1
fails slot -DM_COLUMN_FIRST
fails slot -DM_TARGET_AFTER_SUM
fails slot -DM_EPOCH_AFTER_SUM
fails slot -DM_FREE_AT_DONE -DKILL -DLAST=1
fails slot -DM_NO_FRAME_RECORD -DKILL -DLAST=1
fails slot -DM_NO_SUPERVISOR_WAKE -DKILL -DLAST=1
fails slot -DM_NO_REREAD -DKILL -DLAST=1
fails slot -DM_REDO_ADD -DKILL -DLAST=1
fails slot -DM_REDO_LOST -DKILL -DLAST=1
fails slot -DM_RESET_COLUMNS -DKILL -DLAST=1
fails slot -DM_RESPAWN_FIRST -DRESPAWN -DKILL -DLAST=1
holds takeover
holds takeover -DSINGLE
holds takeover -DTSO
holds takeover -DDEATH -DHANGS=1
holds takeover -DAGAIN=0 -DDEATH -DHANGS=1
holds takeover -DSPARES=0 -DDEATH
holds takeover -DWORKERS=2 -DJPF=2 -DLAST=1 -DHANGS=1 -DAGAIN=0
holds takeover -DJPF=2 -DLAST=1 -DAGAIN=0
fails takeover -DM_NO_FLAG
fails takeover -DM_FLAG_AFTER -DSINGLE
fails takeover -DM_NO_STOP
fails takeover -DM_NO_SECOND_LOOK
fails takeover -DM_NO_SLOT -DTSO
fails takeover -DM_WORDS_FIRST -DTSO
fails takeover -DM_AGAIN_AT_ONCE -DAGAIN=0
fails takeover -DM_AGAIN_AND_AGAIN -DAGAIN=0
fails takeover -DM_COLUMN_AT_ONCE
fails takeover -DM_NO_SETTLE
fails takeover -DM_NO_RELEASE
holds periodic -DP=3
holds periodic -DP=3 -DOTHER -DDEATHS=1
fails periodic -DM_COUNT_FIRST
fails periodic -DM_NEXT_AT_END
fails periodic -DM_NOT_FOUND
fails periodic -DM_NAMED_FIRST
fails periodic -DM_NO_SKIPPED
fails periodic -DM_ANY_RELEASER -DOTHER
holds reload
holds reload -DDEATH
fails reload -DM_LOOK_FIRST
fails reload -DM_ASK_FIRST
fails reload -DM_NO_SECOND_LOOK
fails reload -DM_PLAIN_LETGO
fails reload -DM_TURN_AT_ONCE
fails reload -DM_NO_END_FOR_DEAD -DDEATH
holds single -DKILL
holds single -DKILL -DEAGER
fails single -DM_FREE_AT_DONE -DKILL
fails single -DM_NO_REREAD -DKILL -DEAGER
fails single -DM_NO_SUPERVISOR_WAKE -DKILL
fails single -DM_LOOK_BEFORE_DONE
fails single -DM_FLAG_AFTER_LOOK
fails single -DM_EPOCH_AFTER_LOOK
holds barrier
holds barrier -DEQUALITY
holds barrier -DM_ONE_STAGE
holds barrier -DCANCEL
holds barrier -DJOBS1=0
holds barrier -DKILL -DBARRIERS=1 -DJOBS2=0
holds barrier -DFRAMES=2 -DBARRIERS=1 -DJOBS2=0
holds barrier -DFRAMES=2 -DBARRIERS=1 -DJOBS2=0 -DFS=2
fails barrier -DM_ONE_STAGE -DJOBS1=0
fails barrier -DM_ONE_STAGE -DM_PLAIN_STORE
fails barrier -DM_LENGTH_FIRST
fails barrier -DM_NO_SECOND_LOOK
fails barrier -DM_NO_BARRIER_SUM
fails barrier -DM_NO_STAGE_CHECK
fails barrier -DM_NO_FRAME_CHECK -DFRAMES=2 -DBARRIERS=1 -DJOBS2=0 -DFS=2
fails barrier -DM_NO_GENERATION -DFRAMES=2 -DBARRIERS=1 -DJOBS2=0
fails barrier -DM_CANCEL_NO_SETTLE -DCANCEL -DJOBS1=0
fails barrier -DM_END_WAITING -DCANCEL
fails barrier -DM_END_WAITING -DCANCEL -DEQUALITY
fails barrier -DM_NO_REDO -DKILL -DBARRIERS=1 -DJOBS2=0
holds edf
holds edf -DSPLIT
holds edf -DREISSUE
holds edf -DREISSUE -DMARK_LIVE_MAXIMUM -DLAX
holds edf -DWAIT
holds edf -DJUMP
fails edf -DM_MARK_AFTER
fails edf -DM_HEAD_FIRST
fails edf -DM_RING_FIRST
fails edf -DM_NO_SEQUENCE_CHECK
fails edf -DM_NO_GENERATION
fails edf -DLAX -DREISSUE
fails edf -DM_PASS_WAITING -DWAIT
fails edf -DM_CLAMP -DWAIT
fails edf -DM_NO_EPOCH -DREISSUE
fails edf -DM_EPOCH_FIRST -DREISSUE
fails edf -DM_EPOCH_AFTER_SCAN -DREISSUE
fails edf -DM_RESET_TO_WINDOW -DREISSUE -DN=4
holds bell -DBELL=2
holds bell -DBELL=5
holds bell -DBELL=4 -DWRONGFIRST
holds bell -DBELL=4 -DWRONGFIRST -DTWO -DNJ=2
holds bell -DBELL=4 -DWRONGFIRST -DDEATH -DHEAL
holds bell -DBELL=4 -DWRONGFIRST -DDECLINE -DDEATH -DHEAL
fails bell -DBELL=1
fails bell -DBELL=3 -DWRONGFIRST
fails bell -DBELL=4 -DWRONGFIRST -DDEATH
fails bell -DBELL=4 -DM_TEST_THEN_STORE -DDEATH -DHEAL
fails bell -DBELL=4 -DM_NO_RECHECK
fails bell -DBELL=4 -DM_RING_FIRST
fails bell -DBELL=4 -DM_DECLINE_SILENTLY -DDECLINE -DWRONGFIRST
'
long='
holds slot -DKILL
holds slot -DKILL -DJPF=1 -DFRAMES=3 -DFS=2
holds slot -DKILL -DSPLIT -DLAST=1
holds slot -DKILL -DCANCEL -DEXPIRY -DLAST=1
holds takeover -DDEATH
holds takeover -DWORKERS=2 -DJPF=2 -DLAST=1
holds periodic -DOTHER
holds barrier -DKILL
holds barrier -DKILL -DCANCEL -DJOBS2=0
holds barrier -DKILL -DFRAMES=2 -DBARRIERS=1 -DJOBS2=0
holds barrier -DFRAMES=2 -DJOBS2=0 -DFS=2
holds edf -DN=4
holds edf -DREISSUE -DN=4
holds edf -DSPLIT -DREISSUE
holds edf -DWAIT -DREISSUE
'

if [ "$1" = --one ]; then                       # one run, in a directory of its own
  want=$2 model=$3 seconds=$4 mebibytes=$5; shift 5
  dir=$(mktemp -d "$CHECK_DIR/run.XXXXXX") && cd "$dir" && cp "$here/$model.pml" . || exit 1
  opt=-O1; [ "$want" = fails ] && opt=-O0       # a mutant is found soon: compiling it is most of the time
  got=uncompiled
  if spin -a "$@" "$model.pml" >spin.log 2>&1 &&
     "$CHECK_CC" $opt -w -DSAFETY -DCOLLAPSE -DMEMLIM="$mebibytes" -o pan pan.c >cc.log 2>&1; then
    ulimit -v $(((mebibytes + 512) * 1024)) 2>/dev/null
    timeout "$seconds" ./pan -E -m100000 -w22 >out.txt 2>&1
    if grep -q 'assertion violated' out.txt; then got=fails
    elif grep -q 'errors: 0' out.txt && ! grep -Eq 'MEMLIM|not completed|too small|out of memory' out.txt; then got=holds
    else got=unfinished; fi
  fi
  states=$(grep -oE '[0-9.e+]+ states, stored' out.txt 2>/dev/null | head -1 | sed 's/ states, stored//')
  if [ "$got" = "$want" ]; then mark=ok; else mark='NOT OK'; fi
  printf '%s: %s %s: %s (want %s) %s states\n' "$mark" "$model" "$*" "$got" "$want" "${states:-no}"
  rm -rf "$dir"
  exit 0
fi

seconds=150 mebibytes=1200
if [ "$1" = --long ]; then runs="$runs$long"; seconds=600 mebibytes=8000
elif [ $# -gt 0 ]; then echo "usage: check.sh [--long]" >&2; exit 2; fi

CHECK_CC=; for cc in "${CC:-gcc}" gcc cc clang; do command -v "$cc" >/dev/null 2>&1 && { CHECK_CC=$cc; break; }; done
command -v spin >/dev/null 2>&1 && [ -n "$CHECK_CC" ] || {
  echo '***** SKIPPED: the models need spin (Debian, Homebrew: package "spin") and a C compiler; nothing was checked *****'
  exit 0
}
CHECK_DIR=$(mktemp -d) || exit 1
export CHECK_DIR CHECK_CC
trap 'rm -rf "$CHECK_DIR"' EXIT
trap 'exit 130' INT TERM

# the longest first, two at a time
printf '%s' "$runs" | grep -v '^$' | sort -s -k1,1r |
  while read -r want model flags; do printf '%s %s %s %s %s\n' "$want" "$model" "$seconds" "$mebibytes" "$flags"; done | sed 's/ *$//' |
  xargs -P 2 -L 1 "$here/check.sh" --one | tee "$CHECK_DIR/all.txt"

expected=$(printf '%s' "$runs" | grep -vc '^$')
passed=$(grep -c '^ok: ' "$CHECK_DIR/all.txt")
echo "$passed passed, $((expected - passed)) failed"
[ "$passed" = "$expected" ]
