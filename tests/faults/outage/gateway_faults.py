"""The rows of the faults page about the gateway, grouped by the test that drives from them."""

from tests.faults.fault_table import rows_for

LASTING = rows_for("test_line_pauses_during_a_lasting_gateway_fault_and_recovers_afterwards")
ONCE = rows_for("test_message_is_answered_once_despite_a_single_gateway_fault")
MISSED = rows_for("test_message_that_can_never_be_fetched_is_missed_and_opens_one_task")
