/* Rules that two replicas in memory cannot show, and the tests that do. */
#include "tests/sim/trace/trace.h"

#define TRUST   "tests/unit/trust_test.c"
#define REVOKE  "tests/unit/revoke_test.c"
#define MSG     "tests/unit/msg_test.c"
#define LOG     "tests/unit/log_test.c"
#define STORE   "tests/unit/store_test.c"
#define LINK    "tests/unit/link_test.c"
#define KEYS    "tests/unit/keys_test.c"
#define RECORDS "tests/unit/records_test.c"
#define HOLD    "tests/unit/replica_hold_test.c"
#define STALL   "tests/unit/replica_stall_test.c"
#define LIMITS  "tests/unit/replica_limits_test.c"
#define REBUILD "tests/unit/replica_rebuild_test.c"
#define ASK     "tests/unit/replica_ask_test.c"
#define SERVICE "tests/unit/service_test.c"
#define PUT     "tests/unit/service_put_test.c"
#define STORES  "tests/unit/replica_stores_test.c"
#define RENEW   "tests/unit/store_renew_test.c"

const struct trace_elsewhere TRACE_ELSEWHERE[] = {
    /* 5 */
    {"of a hall and of a witness: `districts` has 1 to 256 entries, ascending, each once, each 0..9999, and `home` is "
     "one of them; of a "
     "hub: "
     "`districts` is empty and `home` is a valid partition.",
     TRUST, "signed_nonsense_is_refused"},
    {"`Certificate` and both `Signed` have no unknown fields (bodies may have: they are signed);", TRUST,
     "nothing_unsigned_rides_along"},
    {"A pure function of the operation and its writer's certificate, so that all nodes judge alike:", TRUST,
     "kinds_and_scope_follow_the_role"},
    {"A verifier MUST refuse one unless the certificate holds by section 5.1 and names `RevocationBody.node_key`;",
     REVOKE, "what_was_forged_is_refused"},
    {"a sender MUST end one at the limit, if it has a checkpoint there or before it,",
     "tests/unit/replica_revoke_test.c", "a_sender_cuts_at_the_limit"},
    {"| revocation, release, encoded | 8,192, 24,576 bytes | malformed |", REVOKE, "limits_are_kept"},
    {"| heads of a release | 256 | malformed |", REVOKE, "limits_are_kept"},
    {"| revocations and releases of a region | 65,536 | not kept |", "tests/unit/store_revoke_test.c",
     "there_may_be_so_many_and_no_more"},
    /* 6 */
    {"A writer makes one for the last operation of each of its streams that grew in a commit, in that commit,", LOG,
     "ops_are_numbered_chained_and_signed_once_a_commit"},
    {"A node that gets a new node key gets a new certificate and begins a new origin.", LOG,
     "a_new_node_key_is_a_new_origin"},
    {"*hub* when one hub's store has a receipt that reaches it (for what a hub writes its own store counts without "
     "one, and its own receipt not once more);",
     STORE, "a_hub_that_takes_its_own_ops_back_is_one_store"},
    {"*safe* when it is *hub* and the receipt of a second store, a hub's or a witness's, reaches it as well.", STORE,
     "a_witness_makes_safe_what_a_hub_has"},
    {"where it holds none behind that beginning, two hubs MUST have signed for n.", RENEW,
     "a_witness_signs_for_no_beginning_that_is_elsewhere"},
    {"A witness's counts for operations of lane money, and at the node whose key wrote it for one behind where that "
     "node's own log begins:",
     RENEW, "who_takes_a_halls_place_does_not_know_where_its_witness_begins"},
    {"Nor does it count for what two hubs have ever signed for, keys of one node id being one hub:", RENEW,
     "a_witness_counts_beside_one_hub_that_ever_was"},
    {"It MUST NOT go on with that id once that backup is gone,", "tests/unit/store_backup_test.c",
     "a_backup_that_is_gone_gives_no_level"},
    {"or the hub itself was restored from one or goes on as another store (8.16):", RENEW, "its_backups_do_not_go_on"},
    /* 7 */
    {"CURVE is mandatory: a node MUST NOT listen or dial without it.", LINK, "plain_client_gets_nothing"},
    {"it MUST limit connections whose key has not shown a certificate yet.", LINK, "strangers_are_few_at_a_time"},
    {"Messages have exactly one part of at most 131,072 bytes.", LINK, "messages_in_parts_are_passed_over"},
    {"tries its addresses in order,", LINK, "addresses_are_tried_in_order"},
    {"waits between attempts with jitter, at most 30 seconds.", KEYS, "backoff_grows_and_resets"},
    {"A token is good for one node key and until it expires.", KEYS, "join_is_decided_by_the_token"},
    {"The hub MUST check, in this order: the form (*malformed*), that `curve_key` is that of the connection "
     "(*refused*), the "
     "proof (*bad-signature*), that the secret is known (*bad-token*), that no other node key has used it "
     "(*token-used*), "
     "and that it has not expired (*token-expired*; for the node key that has used it, it does not expire).",
     KEYS, "join_must_be_proven"},
    {"The joiner MUST verify both certificates against the token's root key, that its own names the token's node id "
     "and "
     "region and its two keys, and that the other is a hub's and names the token's `hub_curve_key`.",
     KEYS, "certificate_of_another_region_or_node_is_refused"},
    /* 8 */
    {"Who sees that its own connection ends so SHOULD NOT dial again while the other session lives.",
     "tests/unit/replica_view_test.c", "two_hubs_that_dial_each_other_keep_one_session"},
    {"A node SHOULD have at most 64 lists offered and not answered.", "tests/unit/replica_frontier_test.c",
     "few_lists_are_open_at_a_time"},
    {"| items of a list of the frontier | 32 | session ends |", "tests/unit/replica_frontier_test.c",
     "lists_must_be_well_formed"},
    {"and SHOULD try again later.", LINK, "hall_comes_back_when_the_hub_does"},
    {"Therefore a writer MUST make a checkpoint before an operation that would bring those since the last one above "
     "256 "
     "operations or 16,384 bytes.",
     LOG, "a_large_group_is_checkpointed_within_the_limits"},
    {"Who sends a node the end of one of that node's own streams sends the receipts that it has of it, too: they were "
     "lost with it.",
     "tests/unit/replica_receipt_test.c", "what_comes_back_brings_its_receipts"},
    {"those of money MUST be kept whole.", "tests/unit/replica_fill_liar_test.c", "money_is_never_pruned"},
    {"and ends the session if the lane is that of money, or if it may not take the stream (*scope*).",
     "tests/unit/replica_fill_liar_test.c", "money_is_never_pruned"},
    {"and halls supply it as a hub would, with their own districts and the region; what another node says there counts "
     "for nothing.",
     REBUILD, "a_hall_supplies_a_hub_that_is_being_rebuilt"},
    {"What a hall sends so is checked as what a hub sends,", "tests/unit/replica_fill_liar_test.c", "lie_of_a_hall"},
    {"Any other hub MUST NOT be filled from a hall: it tells its operator and waits for another hub.", REBUILD,
     "a_hub_whose_time_is_over_takes_nothing_from_a_hall"},
    {"When the seven days are over, a session in which states still come from a hall ends (*not-a-hub*).", REBUILD,
     "what_a_hall_has_begun_to_send_ends_with_the_time"},
    {"an asker SHOULD ask those first that have sent `PeerPruned` for it, then hubs, then halls.", REBUILD,
     "who_has_said_pruned_is_asked_before_all"},
    {"for partitions that the common view shows in full (else the session ends: *scope*),",
     "tests/unit/replica_fill_liar_test.c", "only_the_scope_is_supplied"},
    {"A hub SHOULD hold back operations of what it was asked for, or what the peer's Hello names in `filling`, unless "
     "they are money;",
     "tests/unit/replica_fill_test.c", "operations_wait_until_the_states_are_there"},
    {"a hall MUST NOT hold back its own.", "tests/unit/replica_fill_test.c", "a_hall_holds_nothing_back"},
    {"An asker SHOULD ask for work before money before people before bulk, and of each lane for at most 4 at a time.",
     "tests/unit/replica_fill_test.c", "work_is_asked_for_first_and_four_at_a_time"},
    {"What goes with a record MUST NOT be parted from it:", ASK, "what_goes_with_a_record_is_not_parted_from_it"},
    {"So does one that is not well formed (a kind or index that does not fit its 16 or 8 bits, a key of no or more "
     "than "
     "64 bytes, `after` of more than 69), one whose `id` is open, and a seventeenth that is open.",
     ASK, "wrong_questions_end_the_session"},
    {"| answer to a question | 100 records that were asked for, 98,304 bytes | session ends; `cut` |", ASK,
     "answers_that_do_not_fit_end_the_session"},
    {"| questions of a session that are open | 16 in each direction | session ends |", ASK,
     "sixteen_are_passed_on_at_most"},
    {"| answers of a session that cost no credit (8.18) | 1,048,576 bytes at once, 1,048,576 a second; 1,024 for each "
     "besides its bytes | the question waits |",
     LIMITS, "answers_come_out_of_a_bucket"},
    {"| questions of a session that wait | 16 about records, two about digests, one of each other kind; 65,536 bytes | "
     "session ends |",
     LIMITS, "what_waits_is_small"},
    {"| stores of hubs and witnesses that a node remembers | 4,096 | not kept; people are told |", LIMITS,
     "a_full_list_of_stores_ends_no_session"},
    {"| pieces of one session that wait to be stored | 65,536 | *busy*; session ends |", LIMITS,
     "what_waits_for_the_writer_is_bounded"},
    {"or if the answer is not what was asked for:", ASK, "answers_that_do_not_fit_end_the_session"},
    {"A question that is not well formed, or the same while the first is answered, ends the session.",
     "tests/unit/replica_fill_liar_test.c", "questions_have_a_form"},
    {"An answer to what was not asked for is ignored; one that is not well formed ends the session.",
     "tests/unit/replica_fetch_test.c", "a_fetch_that_is_none_ends_the_session"},
    {"What has rotted in a store is had again from another.", "tests/unit/replica_fetch_test.c",
     "it_comes_back_from_who_has_it"},
    {"a second one before the answer ends the session.", "tests/unit/replica_fetch_test.c",
     "a_second_one_before_the_answer_ends_the_session"},
    {"Who has not answered within 30 seconds is not waited for any longer.", "tests/unit/replica_fetch_test.c",
     "who_does_not_answer_is_not_waited_for"},
    {"While it is empty, questions wait, in their order; everything else goes on.", LIMITS,
     "answers_come_out_of_a_bucket"},
    {"with 65,536 bytes together; one more ends the session.", LIMITS, "one_question_too_many_ends_the_session"},
    {"Of several `PeerPruned` for one (partition, lane) that wait, one is answered.", LIMITS,
     "where_one_is_is_said_within_bounds"},
    {"if there are more, the session ends (*busy*).", LIMITS, "what_waits_for_the_writer_is_bounded"},
    {"which SHOULD keep it too;", "tests/unit/replica_line_test.c", "a_limit_holds_in_both_directions"},
    {"it SHOULD be said before the frontier,", "tests/unit/replica_line_test.c",
     "no_window_has_more_than_the_limit_and_one_burst"},
    /* 9 */
    {"Of operations that come as loose pieces the facts are merged and the register writes have no effect.", RECORDS,
     "forked_streams_give_facts_only"},
    {"A client that shows a position which the node does not know (section 11) is treated alike,", SERVICE,
     "a_client_that_knows_more_strikes_the_origin"},
    {"and those of its earlier origins that are not forked and whose head no receipt reaches:",
     "tests/unit/replica_receipt_test.c", "a_receipt_lost_before_a_reboot_comes_again"},
    {"It MUST go on under another store id, under which it signs for what it holds, and MUST tell its operator.", RENEW,
     "it_goes_on_as_another_and_signs_for_what_it_holds"},
    {"MUST NOT count for a level (6.3), for what may be folded, or for what a witness may drop;", RENEW,
     "a_store_that_is_gone_gives_no_level"},
    {"A `told` that was not asked for, a list that is too long, and a key or stream that is none end the session.",
     STORES, "a_word_that_nobody_asked_for_ends_the_session"},
    /* 12 */
    {"*The envelope* of section 4 and the rules of 5.3, 6 and 10 are frozen:", "tests/golden/vectors_test.c",
     "the_bytes_are_those_of_the_file"},
    {"nodes that do not know them merge, keep, hash and forward them.", RECORDS, "what_is_not_known_is_kept"},
    /* 13 */
    {"| operation | 65,536 bytes, 64 writes | void |", MSG, "an_op_has_a_limit"},
    {"| write | 32,768 bytes of fact or values, 256 fields | void |", MSG, "values_have_limits"},
    {"| field | 16,384 bytes of value, 256 dots, number below 2^29 | void |", MSG, "sizes_have_limits"},
    {"| record id | 64 bytes | void |", MSG, "sizes_have_limits"},
    {"| message of states | 66,560 bytes before compression, 16,384 as a rule | session ends |",
     "tests/unit/replica_fill_liar_test.c", "states_are_what_they_say"},
    {"| record state | 1,048,576 bytes | not sent; session ends |", "tests/unit/replica_fill_liar_test.c",
     "a_record_has_a_limit"},
    {"| states from halls, at a hub that may have lost something | for 7 days | session ends |", REBUILD,
     "what_a_hall_has_begun_to_send_ends_with_the_time"},
    {"| states under way in a session | 4 (partition, lane) of each lane; 262,144 heads | *busy*; session ends |",
     "tests/unit/replica_fill_liar_test.c", "a_supplier_has_four_of_a_lane_at_a_time"},
    {"| states that were asked for | something within 120 seconds, of each within an hour (8.14) | session ends |",
     STALL, "who_does_not_answer_is_left"},
    {"An asker ends the session (*timed-out*) if for 120 seconds nothing has come that costs credit,", STALL,
     "who_stops_in_the_middle_is_left"},
    {"or for an hour nothing of what it asked for,", STALL, "who_brings_other_things_is_waited_for_longer"},
    {"So it turns to another hub, or begins anew with this one;", STALL, "another_hub_is_asked"},
    {"| (partition, lane) wanted as states | 1,028 | refused; the rest waits |", "tests/unit/replica_fill_liar_test.c",
     "what_is_wanted_as_states_is_named_well"},
    {"| districts of a certificate | 256 | certificate refused |", TRUST, "signed_nonsense_is_refused"},
    {"| certificate, opening, encoded | 4,096, 512 bytes | malformed |", TRUST, "what_is_too_large_is_malformed"},
    {"| request, reply (local) | 1 MiB, 4 MiB | connection closed; *too-big* |", SERVICE,
     "a_message_of_ten_megabytes_ends_its_connection_only"},
    {"| records of a put, of a page | 1,000 | *invalid*; a page is cut |", SERVICE,
     "requests_that_ask_nonsense_are_refused"},
    {"| node id, region | 32, 64 bytes | refused |", TRUST, "drafts_that_make_no_sense_are_not_signed"},
    {"| join token | 8 addresses of 128 bytes | refused |", TRUST, "tokens_that_make_no_sense_are_not_made"},
    {"States that come all the same are stored up to the cost of the first credit; beyond that the session ends "
     "(*disk-full*).",
     HOLD, "a_peer_that_does_not_stop_is_ended"},
    {0},
};
