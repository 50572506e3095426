/* record_csv.h -- records as rows of CSV, of one kind a file. */
#ifndef HS_CLI_RECORD_CSV_H
#define HS_CLI_RECORD_CSV_H

#include "proto/base/buf.h"
#include "proto/local.pb-c.h"
#include "storage/model/kinds.h"

/* Names and values of the kind's fields, as an import of the same records reads them, appended; @first: the row begins
 * with them. */
void cli_csv_fields_header(struct hs_buf *line, const struct hs_kind *kind, bool first);
enum hs_err cli_csv_fields(struct hs_buf *line, const struct hs_kind *kind, const Hallsync__Record *record, bool first);

/* A change for another system: its name, the fields, district, node, time, receipt, whether it was reversed or parked,
 * and what the node derives.  @kind NULL, one that this program does not know: id, and the bytes in hexadecimal. */
void cli_csv_change_header(struct hs_buf *line, const struct hs_kind *kind);
enum hs_err cli_csv_change(struct hs_buf *line, const struct hs_kind *kind, const Hallsync__Record *record,
                           int utc_offset_minutes);

#endif
