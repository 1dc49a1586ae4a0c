#!/usr/bin/env bash
# Ten guards of docs/faults.md, others each day, are switched off one at a time: the test of the row
# must fail. One build; each name is of src/planted.rs or stands where the guard is.
set -euo pipefail
cd "$(dirname "$0")/../.."
rows=(
  "1 ack-before-sync a_crash_at_any_call_on_a_file_loses_nothing_acknowledged"
  "2 ack-before-sync a_power_loss_takes_nothing_that_was_acknowledged"
  "4 disk-low a_low_disk_refuses_writes_and_they_resume_by_themselves"
  "5 poison a_failed_sync_stops_writing_until_a_restart_and_reads_go_on"
  "6 move-without-asking what_was_accepted_elsewhere_stands_and_the_restored_city_cannot_close_it"
  "8 clock entries_say_when_the_clock_is_wrong"
  "15 fork two_signed_histories_are_kept_and_told_to_everybody"
  "16 accept-a-gap gaps_are_refused_and_repetitions_counted"
  "17 batch-size what_is_too_large_is_refused_and_the_stream_goes_on"
  "22 replayed one_request_id_writes_one_entry"
  "28 cosignature a_cosignature_beyond_what_was_announced_is_not_kept"
  "33 narrow-part-for-anybody narrow_parts_go_to_whom_they_are_for_and_with_the_handling"
  "35 apply-before-after a_lying_after_holds_only_its_own_log"
  "42 beyond-the-quota a_log_that_outruns_its_day_stands_still_here"
  "52 serve-an-erased-part an_erased_part_is_gone_from_disk_and_nobody_is_given_it"
)
messages=$(cargo test --features planted-bugs,s3 --test it --no-run --message-format=json --quiet)
it=$(printf '%s\n' "$messages" | grep -o '"executable":"[^"]*/it-[^"]*"' | tail -1 | cut -d'"' -f4)
[ -x "$it" ] || { echo "the tests were not built"; exit 1; }
day=$(($(date +%s) / 86400))
bad=0
for ((n = 0; n < ${LIANDONG_GUARDS:-10} && n < ${#rows[@]}; n++)); do
  read -r row guard test <<<"${rows[$(((day + n) % ${#rows[@]}))]}"
  # With the guard it passes: else a failure without it says nothing.
  "$it" "$test" >target/guards.log 2>&1 && grep -q '1 passed' target/guards.log || {
    echo "row $row: $test fails with its guard, or is not there"
    bad=1
    continue
  }
  if LIANDONG_GUARD_OFF=$guard RUST_BACKTRACE=0 timeout 120 "$it" "$test" >target/guards.log 2>&1; then
    echo "row $row: $test passes without its guard ($guard)"
    bad=1
  else
    echo "row $row: without $guard, $test fails as it must"
  fi
done
exit $bad
