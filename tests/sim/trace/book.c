/* The files: expected traces, the rules of PROTOCOL.md that they show, the table of both in README.md. */
#include "tests/sim/trace/trace.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>

#define HERE         HS_SOURCE_DIR "/tests/sim/trace/"
#define PROTOCOL     HS_SOURCE_DIR "/proto/PROTOCOL.md"
#define SECTIONS_MAX 128
#define RULES_MAX    512
#define WIDTH        110
#define PATH_BYTES   512
#define CONTEXT      4 /* lines before the first that differs */
#define MARKER       "<!-- The table below is written by HS_WRITE=1 and checked by the test. -->\n"

/* ---- files ---- */

/* Empty if there is no such file. */
static struct hs_buf read_file(const char *path)
{
    struct hs_buf text = {0};
    char chunk[4096];
    size_t size;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return text;
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0)
        hs_buf_put(&text, chunk, size);
    int failed = ferror(file);
    assert(failed == 0);
    fclose(file);
    return text;
}

static void write_file(const char *path, struct hs_bytes text)
{
    FILE *file = fopen(path, "w");
    assert(file != NULL);
    size_t written = fwrite(text.data, 1, text.size, file);
    int failed = fclose(file);
    assert(written == text.size && failed == 0);
}

static bool writes(void)
{
    const char *wish = getenv("HS_WRITE");
    return wish != NULL && strcmp(wish, "1") == 0;
}

static size_t line_end(struct hs_bytes text, size_t at)
{
    while (at < text.size && text.data[at] != '\n')
        at++;
    return at;
}

static void print_line(char sign, struct hs_bytes text, size_t at)
{
    if (at < text.size)
        printf("%c%.*s\n", sign, (int)(line_end(text, at) - at), (const char *)text.data + at);
}

static void print_difference(const char *path, struct hs_bytes expected, struct hs_bytes found)
{
    size_t at = 0, line = 1, starts[CONTEXT] = {0};
    for (;;) {
        size_t end = line_end(expected, at), other = line_end(found, at);
        if (end != other || end >= expected.size || memcmp(expected.data + at, found.data + at, end - at) != 0)
            break;
        starts[line % CONTEXT] = at;
        at = end + 1;
        line++;
    }
    printf("--- %s\n+++ what happened (HS_WRITE=1 writes it)\n@@ line %zu @@\n", path, line);
    for (size_t i = line > CONTEXT ? line - CONTEXT + 1 : 1; i < line; i++)
        print_line(' ', expected, starts[i % CONTEXT]);
    print_line('-', expected, at);
    print_line('+', found, at);
}

static bool check_file(const char *path, struct hs_bytes found)
{
    struct hs_buf expected = read_file(path);
    bool same = hs_bytes_equal(hs_buf_bytes(&expected), found);
    if (!same && writes())
        write_file(path, found);
    else if (!same)
        print_difference(path, hs_buf_bytes(&expected), found);
    hs_buf_fini(&expected);
    return same || writes();
}

/* ---- PROTOCOL.md, blanks and line ends all one blank, cut into sections ---- */

struct section {
    char title[80]; /* "8.5 Opening" */
    unsigned chapter;
    size_t begins;
    bool is_covered;
};
struct protocol {
    struct hs_buf text;
    struct section sections[SECTIONS_MAX];
    size_t count;
    bool *is_covered; /* each byte */
};

static void begin_section(struct protocol *p, const char *line)
{
    assert(p->count < SECTIONS_MAX);
    struct section *section = &p->sections[p->count++];
    snprintf(section->title, sizeof section->title, "%s", line + strspn(line, "# "));
    section->title[strcspn(section->title, "\n")] = '\0';
    section->chapter = (unsigned)strtoul(section->title, NULL, 10);
    section->begins = p->text.size;
    hs_buf_put(&p->text, "\n", 1);
}

static void put_words(struct hs_buf *to, const char *line)
{
    while (*(line += strspn(line, " \n")) != '\0') {
        size_t size = strcspn(line, " \n");
        if (to->size > 0 && to->data[to->size - 1] != ' ')
            hs_buf_put(to, " ", 1);
        hs_buf_put(to, line, size);
        line += size;
    }
}

static void protocol_read(struct protocol *p)
{
    char line[1024];
    FILE *file = fopen(PROTOCOL, "r");
    assert(file != NULL);
    *p = (struct protocol){0};
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "## ", 3) == 0 || strncmp(line, "### ", 4) == 0)
            begin_section(p, line);
        else
            put_words(&p->text, line);
    }
    fclose(file);
    hs_buf_put(&p->text, "", 1);
    p->is_covered = calloc(p->text.size, sizeof *p->is_covered);
    assert(p->is_covered != NULL);
}

static void protocol_fini(struct protocol *p)
{
    hs_buf_fini(&p->text);
    free(p->is_covered);
}

/* SIZE_MAX: it does not say that. */
static size_t find_rule(const struct protocol *p, const char *rule)
{
    const char *text = (const char *)p->text.data, *found = strstr(text, rule);
    return found == NULL ? SIZE_MAX : (size_t)(found - text);
}

static size_t section_at(const struct protocol *p, size_t at)
{
    size_t i = p->count - 1;
    while (i > 0 && p->sections[i].begins > at)
        i--;
    return i;
}

/* ---- a scenario's file ---- */

static void put_wrapped(struct hs_buf *to, const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        if (column > 0 && column + 1 + size > WIDTH) {
            hs_buf_put(to, "\n", 1);
            column = 0;
        }
        hs_buf_put(to, " ", column > 0);
        hs_buf_put(to, text, size);
        column += size + (column > 0);
        text += size + (text[size] == ' ');
    }
    hs_buf_put(to, "\n", 1);
}

static bool put_header(const struct protocol *p, const struct trace_scenario *scenario, struct hs_buf *to)
{
    char rule[2048];
    bool is_said = true;
    put_wrapped(to, scenario->title);
    for (size_t i = 0; scenario->rules[i] != NULL; i++) {
        size_t at = find_rule(p, scenario->rules[i]);
        if (at == SIZE_MAX)
            printf("%s: PROTOCOL.md does not say: %s\n", scenario->name, scenario->rules[i]);
        is_said &= at != SIZE_MAX;
        snprintf(rule, sizeof rule, "%s: \"%s\"", at == SIZE_MAX ? "?" : p->sections[section_at(p, at)].title,
                 scenario->rules[i]);
        hs_buf_put(to, "\n", 1);
        put_wrapped(to, rule);
    }
    hs_buf_put(to, "\n", 1);
    return is_said;
}

bool trace_book_check(const struct trace_scenario *scenario, struct hs_bytes trace)
{
    struct protocol p;
    struct hs_buf text = {0};
    char path[PATH_BYTES];
    protocol_read(&p);
    snprintf(path, sizeof path, HERE "expected/%s.txt", scenario->name);
    bool good = put_header(&p, scenario, &text);
    hs_buf_put_bytes(&text, trace);
    good &= check_file(path, hs_buf_bytes(&text));
    hs_buf_fini(&text);
    protocol_fini(&p);
    return good;
}

/* ---- all together ---- */

struct rule {
    size_t at;
    const char *text, *scenario, *file, *test;
};
struct rules {
    struct rule items[RULES_MAX];
    size_t count;
};

static int compare_rules(const void *a, const void *b)
{
    const struct rule *first = a, *second = b;
    if (first->at != second->at)
        return first->at < second->at ? -1 : 1;
    return strcmp(first->scenario == NULL ? first->test : first->scenario,
                  second->scenario == NULL ? second->test : second->scenario);
}

static bool add_rule(struct protocol *p, struct rules *rules, struct rule rule)
{
    rule.at = find_rule(p, rule.text);
    if (rule.at == SIZE_MAX) {
        printf("PROTOCOL.md does not say: %s\n", rule.text);
        return false;
    }
    assert(rules->count < RULES_MAX);
    rules->items[rules->count++] = rule;
    memset(p->is_covered + rule.at, true, strlen(rule.text));
    p->sections[section_at(p, rule.at)].is_covered = true;
    return true;
}

static bool test_exists(const struct trace_elsewhere *elsewhere)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, HS_SOURCE_DIR "/%s", elsewhere->file);
    struct hs_buf text = read_file(path);
    hs_buf_put(&text, "", 1);
    bool found = strstr((const char *)text.data, elsewhere->test) != NULL;
    if (!found)
        printf("%s has no %s\n", elsewhere->file, elsewhere->test);
    hs_buf_fini(&text);
    return found;
}

static bool collect(struct protocol *p, const struct trace_scenario *const *lists, struct rules *rules)
{
    bool good = true;
    for (; *lists != NULL; lists++) {
        for (const struct trace_scenario *scenario = *lists; scenario->name != NULL; scenario++) {
            for (size_t i = 0; scenario->rules[i] != NULL; i++)
                good &= add_rule(p, rules, (struct rule){0, scenario->rules[i], scenario->name, NULL, NULL});
        }
    }
    for (const struct trace_elsewhere *row = TRACE_ELSEWHERE; row->rule != NULL; row++) {
        good &= add_rule(p, rules, (struct rule){0, row->rule, NULL, row->file, row->test});
        good &= test_exists(row);
    }
    qsort(rules->items, rules->count, sizeof *rules->items, compare_rules);
    return good;
}

static bool in_books(const struct section *section)
{
    return (section->chapter >= 5 && section->chapter <= 9) || section->chapter == 12 || section->chapter == 13;
}

/* Words that make a sentence a rule, and the rows of the limits: none may stand outside of what somebody quotes. */
static bool all_quoted(const struct protocol *p)
{
    static const char *const WORDS[] = {"MUST",           "SHOULD",  "ends the session", "end the session",
                                        "session ends |", "void |",  "malformed |",      "refused |",
                                        "*too-big* |",    "is cut |"};
    const char *text = (const char *)p->text.data;
    bool good = true;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        for (const char *found = text; (found = strstr(found, WORDS[i])) != NULL; found++) {
            const struct section *section = &p->sections[section_at(p, (size_t)(found - text))];
            if (!in_books(section) || p->is_covered[found - text])
                continue;
            printf("%s: no scenario for: ...%.100s...\n", section->title, found - 40);
            good = false;
        }
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct section *section = &p->sections[i];
        bool is_empty = i + 1 < p->count && p->sections[i + 1].begins == section->begins + 1;
        if (!in_books(section) || is_empty || section->is_covered)
            continue;
        printf("%s: no scenario\n", section->title);
        good = false;
    }
    return good;
}

static bool is_scenario(const struct trace_scenario *const *lists, const char *file)
{
    for (; *lists != NULL; lists++) {
        for (const struct trace_scenario *scenario = *lists; scenario->name != NULL; scenario++) {
            size_t size = strlen(scenario->name);
            if (strncmp(file, scenario->name, size) == 0 && strcmp(file + size, ".txt") == 0)
                return true;
        }
    }
    return false;
}

static bool no_file_is_left(const struct trace_scenario *const *lists)
{
    bool good = true;
    DIR *folder = opendir(HERE "expected");
    assert(folder != NULL);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || is_scenario(lists, entry->d_name))
            continue;
        printf("expected/%s: no such scenario\n", entry->d_name);
        good = false;
    }
    closedir(folder);
    return good;
}

static void put_row(const struct protocol *p, const struct rule *rule, struct hs_buf *to)
{
    hs_buf_put_format(to, "| %s | ", p->sections[section_at(p, rule->at)].title);
    for (const char *c = rule->text; *c != '\0'; c++)
        hs_buf_put_format(to, *c == '|' ? "\\|" : "%c", *c);
    if (rule->scenario != NULL)
        hs_buf_put_format(to, " | [%s](expected/%s.txt) |\n", rule->scenario, rule->scenario);
    else
        hs_buf_put_format(to, " | %s: %s |\n", rule->file, rule->test);
}

static bool check_readme(const struct protocol *p, const struct rules *rules)
{
    struct hs_buf readme = read_file(HERE "README.md"), text = {0};
    hs_buf_put(&readme, "", 1);
    const char *head = (const char *)readme.data, *marker = strstr(head, MARKER);
    assert(marker != NULL);
    hs_buf_put(&text, head, (size_t)(marker - head) + strlen(MARKER));
    hs_buf_put_format(&text, "\n| section | rule | where |\n|---|---|---|\n");
    for (size_t i = 0; i < rules->count; i++)
        put_row(p, &rules->items[i], &text);
    bool good = check_file(HERE "README.md", hs_buf_bytes(&text));
    hs_buf_fini(&readme);
    hs_buf_fini(&text);
    return good;
}

bool trace_book_cover(const struct trace_scenario *const *lists)
{
    static struct rules rules;
    struct protocol p;
    protocol_read(&p);
    bool good = collect(&p, lists, &rules);
    good &= all_quoted(&p);
    good &= no_file_is_left(lists);
    good &= check_readme(&p, &rules);
    protocol_fini(&p);
    return good;
}
