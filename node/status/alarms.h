/* alarms.h -- what somebody should be told of: which alarms are in force, by what a node says of itself, and what
 * changed since it last said so.  Each alarm is declared once, below; hooks, the log, the console and docs/hooks.md go
 * by the table.  Pure, but for memory. */
#ifndef HS_STATUS_ALARMS_H
#define HS_STATUS_ALARMS_H

#include "proto/base/err.h"
#include "proto/base/limits.h"
#include "proto/local.pb-c.h"

#include <stdbool.h>

enum hs_severity { HS_SEVERITY_WARNING, HS_SEVERITY_ERROR };

/* X(id, name, severity, it begins or grows en, zh, it is over en, zh).  {node} is whom it is about, {n} how many, {s}
 * the detail, {span} how long.  The names never change once released. */
#define HS_ALARMS(X)                                                                                                  \
    X(REVOKED, "revoked", ERROR, "the key of {node} was revoked: nobody takes anything from it any more",             \
      "{node} 的密钥已被吊销：其他节点不再接收其数据", "the key of {node} holds again", "{node} 的密钥恢复有效")      \
    X(FORK, "fork", ERROR, "{n} forks are proven: a node has signed two contents under one number",                   \
      "已证实 {n} 处分叉：有节点在同一编号下签署了两种内容", "no fork is known any more", "已无分叉")                 \
    X(WITHHELD, "withheld", ERROR, "operations of revoked keys wait for a decision, {n} stretches of them",           \
      "已吊销密钥的操作有 {n} 段等待处理", "no operations of revoked keys wait any more",                             \
      "已无等待处理的已吊销密钥的操作")                                                                               \
    X(STOPPED, "stopped-stream", ERROR, "{n} streams do not go on: what comes does not continue what is held here",   \
      "{n} 条数据流中断：收到的内容与本机所存不相接", "all streams go on again", "所有数据流均已恢复")                \
    X(DIFFERS, "differs", ERROR, "records here and at {node} were made of the same operations and differ",            \
      "本机与 {node} 由相同操作得出的记录不一致", "records here and at {node} are equal again",                       \
      "本机与 {node} 的记录已一致")                                                                                   \
    X(DAMAGE, "damage", ERROR, "a check of the store of {node} found {n} parts that are not as they were written",    \
      "对 {node} 存储的检查发现 {n} 处与写入时不符", "the store of {node} is as it was written",                      \
      "{node} 的存储检查无误")                                                                                        \
    X(ROTTEN, "rotten", ERROR, "{n} parts of the log have rotted, and wait for a node that has them",                 \
      "日志有 {n} 处损坏，正等待持有它的节点", "what had rotted in the log is there again", "日志损坏处均已恢复")     \
    X(OLDER_COPY, "older-copy", ERROR, "the store of {node} is an older copy of itself: what it had comes back",      \
      "{node} 的存储是自身的旧副本：原有内容正在恢复", "the store of {node} is no older copy any more",               \
      "{node} 的存储已不再是旧副本")                                                                                  \
    X(DISK, "disk", ERROR, "{node} has little room left: {s}", "{node} 的空间不足：{s}", "{node} has room again",     \
      "{node} 的空间已恢复")                                                                                          \
    X(CUT_OFF, "cut-off", ERROR, "{node} has not reached a hub for {span}", "{node} 已 {span} 未连上区域中心",        \
      "{node} reaches a hub again", "{node} 已重新连上区域中心")                                                      \
    X(AWAY, "away", WARNING, "{node} has not been connected for {span}", "{node} 已 {span} 未连接",                   \
      "{node} is connected again", "{node} 已重新连接")                                                               \
    X(CLOCK, "clock", WARNING, "the clocks of {node} and of this node are {span} apart",                              \
      "{node} 与本节点的时钟相差 {span}", "the clocks of {node} and of this node agree again",                        \
      "{node} 与本节点的时钟已一致")                                                                                  \
    X(BACKUP_FAILED, "backup-failed", ERROR, "the last backup of {node} failed: {s}", "{node} 最近一次备份失败：{s}", \
      "{node} has a new backup", "{node} 已有新的备份")                                                               \
    X(BACKUP_OLD, "backup-old", WARNING, "the newest verified backup of {node} is {span} old",                        \
      "{node} 最新的已验证备份已是 {span} 之前", "{node} has a new backup", "{node} 已有新的备份")                    \
    X(BOOKS, "books-differ", ERROR, "{n} books of {s} do not agree with the receipts",                                \
      "{s} 有 {n} 本账与收费凭证不符",                                                                                \
      "no books of {s} are known to differ any more: hallsync books --date {s} shows them",                           \
      "{s} 已无已知不符的账本：可用 hallsync books --date {s} 查看")                                                  \
    X(PARKED, "parked", WARNING, "{n} records are parked at {node}: they break a rule and wait for a decision",       \
      "{node} 有 {n} 条记录挂起：违反规则，等待裁决", "no records are parked at {node} any more",                     \
      "{node} 已无挂起的记录")                                                                                        \
    X(CONFLICT, "conflict", WARNING, "{n} conflicts at {node} wait for a decision", "{node} 有 {n} 项冲突等待处理",   \
      "no conflict at {node} waits any more", "{node} 已无等待处理的冲突")

enum hs_alarm_id {
#define X(id, ...) HS_ALARM_##id,
    HS_ALARMS(X)
#undef X
        HS_ALARM_COUNT
};

struct hs_alarm_row {
    const char *name;
    enum hs_severity severity;
    const char *en, *zh, *over_en, *over_zh;
};
const struct hs_alarm_row *hs_alarm_row(enum hs_alarm_id id);
const char *hs_severity_text(enum hs_severity severity); /* "warning", "error" */

#define HS_ALARM_DETAIL_BYTES 96
struct hs_alarm {
    enum hs_alarm_id id;
    char node[HS_NODE_ID_BYTES_MAX + 1]; /* whom it is about */
    uint64_t count;                      /* how many, or how bad; 0: there is nothing to count */
    uint64_t span_s;                     /* how long already, or how far apart; 0: not known */
    uint64_t since_ms;                   /* when it was first seen */
    char detail[HS_ALARM_DETAIL_BYTES];  /* "": none */
    bool told;                           /* the caller's */
};
struct hs_alarms {
    struct hs_alarm *list; /* by id and node; of books by their day, too: each day's are an alarm of their own */
    size_t count, room;
    bool cut; /* out of memory: some are missing */
};

/* Those in force, by one status; @now_ms of the wall clock.  @before: those until now: of what the status does not
 * know, as of a hall that was just connected to, they go on.  @to is emptied first. */
void hs_alarms_look(const Hallsync__StatusReply *status, uint64_t now_ms, const struct hs_alarms *before,
                    struct hs_alarms *to);
void hs_alarms_fini(struct hs_alarms *alarms);

enum hs_alarm_phase { HS_ALARM_BEGINS, HS_ALARM_GROWS, HS_ALARM_ENDS };
const char *hs_alarm_phase_text(enum hs_alarm_phase phase); /* "begins", "grows", "ends" */
/* What has changed: @alarm is of @after, of one that has ended of @before.  Those that go on keep since_ms and told.
 * Not to be asked of what was cut: it would say that what is missing has ended. */
typedef void (*hs_visit_alarm)(void *ctx, struct hs_alarm *alarm, enum hs_alarm_phase phase);
void hs_alarms_compare(struct hs_alarms *before, struct hs_alarms *after, hs_visit_alarm visit, void *ctx);

#define HS_ALARM_TEXT_BYTES 320
/* A sentence without an end; whole characters. */
const char *hs_alarm_text(const struct hs_alarm *alarm, enum hs_alarm_phase phase, bool chinese,
                          char text[static HS_ALARM_TEXT_BYTES]);

/* ---- so many an hour ----
 *
 * Of each alarm so many beginnings and growths are told in an hour; the end of what was told is always told, the end of
 * what was left out never.  An hour begins with the first that is told in it; when it is over, what was left out in it
 * is due to be said, whether or not the next one has begun. */
struct hs_alarm_quota {
    unsigned per_hour;
    uint64_t begun_ms[HS_ALARM_COUNT];
    unsigned told[HS_ALARM_COUNT];
    uint64_t left_out[HS_ALARM_COUNT];
    uint64_t due_ms[HS_ALARM_COUNT]; /* ... which is to be said then */
};
/* Whether to tell it: takes its share, and notes it in the alarm.  @tick_ms of a clock that nobody sets. */
bool hs_alarm_quota_take(struct hs_alarm_quota *quota, struct hs_alarm *alarm, enum hs_alarm_phase phase,
                         uint64_t tick_ms);
/* How many of @id were left out, once that is due; then 0. */
uint64_t hs_alarm_quota_ended(struct hs_alarm_quota *quota, enum hs_alarm_id id, uint64_t tick_ms);

#endif
