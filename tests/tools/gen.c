/* hallsync-gen -- customers and bills of a made-up city, with the profile of a real service hall: Chinese names and
 * addresses, ten-digit accounts, nine in ten households.  Same seed, same data; record i does not depend on how many
 * are asked for.
 *
 *   hallsync-gen customers|bills [--seed N] [--count N] [--districts 3201,3202] [--period 2026-10] */
#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISTRICTS_MAX   64
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

struct options {
    bool bills;
    uint64_t seed;
    uint32_t count;
    uint32_t districts[DISTRICTS_MAX];
    size_t district_count;
    const char *period;
};

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(draw(state) % limit);
}

static const char *const SURNAMES[] = {"王", "李", "张", "刘", "陈", "杨", "黄", "赵",   "周",  "吴", "徐",
                                       "孙", "马", "朱", "胡", "郭", "何", "高", "林",   "罗",  "郑", "梁",
                                       "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹",   "彭",  "曾", "肖",
                                       "田", "董", "袁", "潘", "于", "蒋", "蔡", "欧阳", "上官"};
static const char *const GIVEN[] = {"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟",
                                    "涛", "明", "超", "秀", "霞", "平", "刚", "桂", "英", "华", "玉", "兰", "国", "建",
                                    "文", "志", "海", "春", "雪", "梅", "晨", "宇", "浩", "欣", "怡", "子", "涵", "轩"};
static const char *const ROADS[] = {"中央路",   "中山北路", "湖南路",   "龙蟠路",  "模范马路", "黑龙江路",
                                    "金川河街", "福建路",   "许府巷",   "童家巷",  "建宁路",   "幕府东路",
                                    "和燕路",   "红山路",   "玄武大道", "虎踞北路"};
static const char *const ESTATES[] = {"锦江里", "金陵花园", "富贵山小区", "紫竹苑",
                                      "锁金村", "天山花苑", "月苑",       "翠岛花城"};
static const char *const FIRMS[] = {"百货有限公司", "餐饮店", "机械厂", "食品有限公司",
                                    "五金商行",     "印刷厂", "宾馆",   "便利店"};

static uint64_t state_of(const struct options *options, uint32_t i, uint64_t purpose)
{
    uint64_t state = options->seed * 0x100000001b3u + i;
    draw(&state);
    state ^= purpose;
    draw(&state);
    return state;
}

/* Accounts run through the districts in turn. */
static void put_account(const struct options *options, uint32_t i)
{
    printf("%04u%06u", options->districts[i % options->district_count], (unsigned)(i / options->district_count + 1));
}

static void put_name(uint64_t *state, bool household)
{
    printf("%s", SURNAMES[below(state, COUNT_OF(SURNAMES))]);
    printf("%s", GIVEN[below(state, COUNT_OF(GIVEN))]);
    if (below(state, 3) != 0)
        printf("%s", GIVEN[below(state, COUNT_OF(GIVEN))]);
    if (!household)
        printf("%s", FIRMS[below(state, COUNT_OF(FIRMS))]);
}

static void put_phone(uint64_t *state)
{
    printf("1%u%09u", 3 + below(state, 7), below(state, 1000000000));
}

static void put_address(uint64_t *state)
{
    printf("南京市%s%u号", ROADS[below(state, COUNT_OF(ROADS))], 1 + below(state, 480));
    if (below(state, 4) != 0)
        printf("%s%u幢%u单元%u室", ESTATES[below(state, COUNT_OF(ESTATES))], 1 + below(state, 30), 1 + below(state, 4),
               100 * (1 + below(state, 11)) + 1 + below(state, 4));
}

/* 18 characters with the check digit of GB 11643-1999 (ISO 7064, MOD 11-2). */
static void put_identity(uint64_t *state)
{
    static const int weights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    char digits[48];
    int sum = 0;
    snprintf(digits, sizeof digits, "3201%02u%04u%02u%02u%03u", 2 + below(state, 10), 1940 + below(state, 66),
             1 + below(state, 12), 1 + below(state, 28), below(state, 1000));
    for (int i = 0; i < 17; i++)
        sum += (digits[i] - '0') * weights[i];
    printf("%.17s%c", digits, "10X98765432"[sum % 11]);
}

static const char *tariff_of(uint64_t *state, bool household)
{
    uint32_t dice = below(state, 100);
    if (household)
        return dice < 92 ? "居民阶梯" : "居民合表";
    return dice < 80 ? "一般工商业" : dice < 93 ? "农业生产" : "大工业";
}

static void put_customer(const struct options *options, uint32_t i)
{
    uint64_t state = state_of(options, i, 1);
    bool household = below(&state, 35) < 33;
    put_account(options, i);
    putchar(',');
    put_name(&state, household);
    putchar(',');
    put_phone(&state);
    putchar(',');
    put_address(&state);
    putchar(',');
    put_identity(&state);
    putchar(',');
    if (below(&state, 10) < 3) /* prepaid: an electricity card */
        printf("%04u%08u", options->districts[i % options->district_count],
               (unsigned)(i / options->district_count + 1));
    printf(",%s\n", tariff_of(&state, household));
}

/* Most households pay 40 to 300 yuan a month, firms some ten times that; one in forty gets a large bill. */
static uint64_t bill_fen(uint64_t *state, bool household)
{
    uint64_t fen = 4000 + below(state, 13000) + below(state, 13000);
    if (below(state, 40) == 0)
        fen *= 1 + below(state, 6);
    return household ? fen : fen * (5 + below(state, 12));
}

static void put_bill(const struct options *options, uint32_t i)
{
    uint64_t customer = state_of(options, i, 1);
    bool household = below(&customer, 35) < 33;
    uint64_t state = state_of(options, i, 2);
    printf("B%.4s%.2s", options->period, options->period + 5);
    put_account(options, i);
    putchar(',');
    put_account(options, i);
    printf(",%s,%llu,%s-25\n", options->period, (unsigned long long)bill_fen(&state, household), options->period);
}

static const struct argp_option OPTIONS[] = {
    {"seed", 's', "N", 0, "seed (1)", 0},
    {"count", 'n', "N", 0, "how many customers (1000)", 0},
    {"districts", 'd', "D,...", 0, "districts, four digits each (3201)", 0},
    {"period", 'p', "YYYY-MM", 0, "month of the bills (2026-10)", 0},
    {0},
};

static void parse_districts(struct options *options, const char *text, struct argp_state *state)
{
    options->district_count = 0;
    for (const char *at = text; *at != '\0';) {
        char *end;
        unsigned long district = strtoul(at, &end, 10);
        if (end - at != 4 || district > 9999 || options->district_count == DISTRICTS_MAX)
            argp_error(state, "districts are four digits each, with commas between");
        options->districts[options->district_count++] = (uint32_t)district;
        at = *end == ',' ? end + 1 : end;
        if (*end != ',' && *end != '\0')
            argp_error(state, "districts are four digits each, with commas between");
    }
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 's':
        options->seed = strtoull(value, NULL, 10);
        return 0;
    case 'n':
        options->count = (uint32_t)strtoul(value, NULL, 10);
        return 0;
    case 'd':
        parse_districts(options, value, state);
        return 0;
    case 'p':
        if (strlen(value) != 7)
            argp_error(state, "a period looks like 2026-10");
        options->period = value;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0 || (strcmp(value, "customers") != 0 && strcmp(value, "bills") != 0))
            argp_error(state, "say customers or bills");
        options->bills = value[0] == 'b';
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "say customers or bills");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp argp = {OPTIONS, parse, "customers|bills", "Make test data, as CSV with a header.", NULL,
                                     NULL,    NULL};
    struct options options = {.seed = 1, .count = 1000, .districts = {3201}, .district_count = 1, .period = "2026-10"};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    puts(options.bills ? "bill_id,account,period,amount_fen,due_date"
                       : "account,name,phone,address,identity_no,card_no,tariff");
    for (uint32_t i = 0; i < options.count; i++) {
        if (options.bills)
            put_bill(&options, i);
        else
            put_customer(&options, i);
    }
    return ferror(stdout) || fflush(stdout) != 0 ? 1 : 0;
}
