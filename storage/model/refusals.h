/* refusals.h -- why a record of a kind is refused, besides what the forms of its fields ask for; of kinds.c alone. */
#ifndef HS_MODEL_REFUSALS_H
#define HS_MODEL_REFUSALS_H

#include "storage/model/kinds.h"

/* clang-format off */

static const struct hs_kind_error PAYMENT_ERRORS[] = {
    {HS_ENOACCOUNT, "no customer has the account, where such are refused"},
    {HS_EBILLACCOUNT, "a bill is of another account"},
    {HS_EBILLCLOSED, "a bill was cancelled, or another has taken its place"},
    {HS_EAMOUNT, "parts or change do not fit the amount"},
    {HS_EVALUE, "bill_id beside parts; a bill twice; change of what is no cash; a card of what is no top-up"},
    {HS_EREQUIRED, "a top-up names no card or counter, a bank slip has no number, change is of nothing"},
    {HS_ETOPUP, "the card was topped up under this counter before, and that was not taken back"},
    {HS_EDIFFERS, "another payment with other content has the id"},
};

static const struct hs_kind_error REVERSAL_ERRORS[] = {
    {HS_ENOPAYMENT, "there is no such payment"},
    {HS_ENOLINK, "the payment is of a district that is not here, and no hub can be asked"},
    {HS_EREVERSED, "the payment was taken back before"},
    {HS_ESETTLED, "the payment was given back or counted elsewhere, and it is no bounced one"},
    {HS_ESECOND, "later than its day, or from elsewhere than its window: a second person and a reason"},
    {HS_EAMOUNT, "the payment counts nowhere: its amount is none"},
    {HS_EVALUE, "the payment is of another account, or was not paid in a way that can bounce or be refused"},
    {HS_EREQUIRED, "bounced, or refused, without a reason"},
};

static const struct hs_kind_error SETTLEMENT_ERRORS[] = {
    {HS_ENOTOWNER, "this node does not own the account's district, or nobody does"},
    {HS_ENOTSOMUCH, "not so much was paid too much, or ahead; or to_bill does not ask for so much"},
    {HS_ENOTFOUND, "there is no such bill of the account"},
    {HS_EINVAL, "facts, after or grant is given: the node makes them"},
    {HS_EDIFFERS, "the form was settled before, and otherwise"},
};

static const struct hs_kind_error INVOICE_REQUEST_ERRORS[] = {
    {HS_ENORECEIPT, "there is no such receipt, where it would have to be here"},
    {HS_EREVERSED, "the payment of the receipt was taken back"},
    {HS_EEXISTS, "another request of the receipt was issued, or asks for the same"},
    {HS_ESTATE, "it was issued or refused before, or does not begin as asked"},
    {HS_EREQUIRED, "it is issued without invoice_no"},
};
static const struct hs_kind_error GRANT_ERRORS[] = {
    {HS_EINVAL, "number is given: the node makes it"},
    {HS_ENOTFOUND, "no node of the region has that id"},
};

static const struct hs_kind_error REPRINT_ERRORS[] = {
    {HS_ENORECEIPT, "there is no such receipt here"},
    {HS_ENOLINK, "the receipt is not here, and no hub can be asked"},
};

static const struct hs_kind_error WINDOW_EVENT_ERRORS[] = {
    {HS_EWINDOW, "the window is not in a state in which that is done"},
    {HS_EVALUE, "the business day has not come yet"},
    {HS_EREQUIRED, "cash is not counted, or differs without a reason"},
    {HS_EOVERFLOW, "the sums of the day are above what an amount can be"},
    {HS_EOPENBOOKS, "a window that took money has not been closed, so the hall's day cannot be"},
    {HS_EDIFFERS, "another event with other content has the id"},
};

static const struct hs_kind_error HANDING_IN_ERRORS[] = {
    {HS_ENOTFOUND, "there is no such close of this hall"},
    {HS_EVALUE, "another hall is named"},
    {HS_EDIFFERS, "another slip with other content has the id"},
};

static const struct hs_kind_error TICKET_ERRORS[] = {
    {HS_ESERVICE, "the catalogue has no such service, or it is not offered any more"},
};

static const struct hs_kind_error TICKET_EVENT_ERRORS[] = {
    {HS_ENOTICKET, "there is no such ticket here"},
    {HS_ESTATE, "the ticket's state allows no such move"},
    {HS_ECONSENT, "the customer does not want to be called back"},
    {HS_EREQUIRED, "what the type is about is missing, or a result without which it cannot be resolved"},
    {HS_EVALUE, "the ticket takes no such document, or is of the district already"},
    {HS_ETOOBIG, "with what the node adds it is longer than a record may be"},
};

static const struct hs_kind_error QUEUE_TICKET_ERRORS[] = {
    {HS_EVALUE, "the group is not 1 to 4 capital letters"},
    {HS_EINVAL, "number, date or hall is given: the node makes them"},
    {HS_EOVERFLOW, "the group has given out all numbers of the day"},
};

static const struct hs_kind_error QUEUE_EVENT_ERRORS[] = {
    {HS_ENOTICKET, "there is no such queue ticket here"},
    {HS_ENOTFOUND, "nobody waits whom the window could call, or nobody is at it"},
    {HS_ESTATE, "the queue ticket's state allows no such event, or somebody is at the window"},
    {HS_EWINDOW, "the window is closed or paused"},
    {HS_EINVAL, "a field has no meaning for this event, or the queue ticket is of another hall"},
    {HS_EREQUIRED, "no window is named"},
    {HS_EOVERFLOW, "the queue ticket has as many events as are looked at"},
};

static const struct hs_kind_error TITLE_CHANGE_ERRORS[] = {
    {HS_ENOACCOUNT, "no customer has the account"},
    {HS_ENOTHERE, "the customer is of a district that is not here, and no hub can be asked"},
    {HS_EVALUE, "from_name is given, and another is the title holder"},
};

static const struct hs_kind_error SUBSCRIPTION_ERRORS[] = {
    {HS_EVALUE, "the id is not the account and the channel with - between"},
    {HS_EREQUIRED, "no hall is named, and the bills of the district are not here"},
};

static const struct hs_kind_error REMINDER_ERRORS[] = {
    {HS_EBILLACCOUNT, "the bill is of another account"},
};

static const struct hs_kind_error SLOT_ERRORS[] = {
    {HS_EINVAL, "the slot is of another hall"},
};

static const struct hs_kind_error APPOINTMENT_ERRORS[] = {
    {HS_ENOTFOUND, "there is no such slot"},
    {HS_ENOLINK, "the slot is of a district that is not here, no hub can be asked, and no district is given"},
    {HS_ESTATE, "the slot has no seat left, or takes no more"},
    {HS_EOVERFLOW, "the slot was asked for as often as is looked at"},
};

static const struct hs_kind_error APPOINTMENT_EVENT_ERRORS[] = {
    {HS_ENOTFOUND, "there is no such appointment"},
    {HS_ENOLINK, "the appointment is of a district that is not here, and no hub can be asked"},
    {HS_ESTATE, "the appointment is not in a state that allows it"},
    {HS_EOVERFLOW, "the appointment has as many events as are looked at"},
};

static const struct hs_kind_error CATALOGUE_ERRORS[] = {
    {HS_EVALUE, "the version is not above that which the service has"},
    {HS_EREQUIRED, "the version is to be cleared"},
};

static const struct hs_kind_error RATING_ERRORS[] = {
    {HS_EDIFFERS, "the service has been rated before, and otherwise"},
};

/* clang-format on */

#endif
