#include "conf_mounts.h"

#include <apr_fnmatch.h>
#include <apr_strings.h>

#include "gc_slice.h"

#define ROOMS "/rooms/"

/* A section of the configuration whose SetHandler names us. */
typedef struct section_t {
    const char *name; /* "<Location", or a kind that has no path to tell the mount by */
    const char *path; /* as written */
    const char *file; /* where SetHandler stands */
    int line;
} section_t;

static int is_named(const ap_directive_t *head, const char *name)
{
    return gc_slice_equal_nocase(gc_slice_of(head->directive), name);
}

/* Read the part of <Location "/path"> after the name. In <Location ~ "pattern"> the "~" goes to
 * the name. */
static void read_head(section_t *section, const ap_directive_t *head, apr_pool_t *pool)
{
    const char *end = strrchr(head->args, '>');
    const char *args = end ? apr_pstrmemdup(pool, head->args, (apr_size_t)(end - head->args)) : "";

    section->name = head->directive;
    section->path = ap_getword_conf(pool, &args);
    if (strcmp(section->path, "~") == 0) {
        section->name = apr_pstrcat(pool, head->directive, " ~", NULL);
        section->path = ap_getword_conf(pool, &args);
    }
}

/* Find the section that SetHandler counts for, through those that only narrow it: <If>, <Files>. */
static section_t section_of(const cmd_parms *cmd)
{
    static const char *const with_address[] = {"<Location", "<LocationMatch", "<Directory",
                                               "<DirectoryMatch"};
    const ap_directive_t *parent = cmd->directive->parent;
    section_t section = {"no section", "", cmd->directive->filename, cmd->directive->line_num};
    unsigned i;

    if (parent && !is_named(parent, "<VirtualHost")) {
        read_head(&section, parent, cmd->pool);
    }
    for (; parent; parent = parent->parent) {
        for (i = 0; i < sizeof(with_address) / sizeof(with_address[0]); i++) {
            if (is_named(parent, with_address[i])) {
                read_head(&section, parent, cmd->pool);
                return section;
            }
        }
    }
    return section;
}

const char *conf_mounts_note(cmd_parms *cmd, void *dir_conf, const char *handler)
{
    conf_server_t *conf = conf_server_get(cmd->server);
    conf_dir_t *dir = dir_conf;
    int is_ours = ap_strcasestr(handler, GRIP_CHAT_HANDLER) != NULL; /* an expression may name it */
    int is_htaccess = ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != NULL;

    dir->has_handler = 1;
    dir->folder =
        is_ours && is_htaccess ? ap_make_dirstr_parent(cmd->pool, cmd->directive->filename) : NULL;
    if (is_ours && !is_htaccess) {
        if (!conf->sections) {
            conf->sections = apr_array_make(cmd->pool, 1, sizeof(section_t));
        }
        APR_ARRAY_PUSH(conf->sections, section_t) = section_of(cmd);
    }
    return NULL;
}

/* The mount that a path tells, which begins with a slash; NULL where it does not. */
static const char *of_path(const char *path, apr_pool_t *pool)
{
    apr_size_t len = strlen(path);
    const char *rooms;
    char *mount;

    if (*path != '/' || strstr(path, "//") || apr_fnmatch_test(path)) {
        return NULL;
    }
    mount = apr_pstrcat(pool, path, path[len - 1] == '/' ? NULL : "/", NULL);
    rooms = strstr(mount, ROOMS);
    if (!rooms) {
        return mount;
    }
    /* "/rooms/a/" may mean one room, or a mount of its own; "/rooms/rooms/" too. */
    if (rooms[strlen(ROOMS)]) {
        return NULL;
    }
    mount[rooms - mount + 1] = '\0';
    return mount;
}

/* The address of a folder, if it is below the document root or above it; NULL if it is elsewhere. */
static const char *address_of(const char *folder, const char *root)
{
    apr_size_t len = root ? strlen(root) : 0;

    while (len && root[len - 1] == '/') {
        len--;
    }
    if (root && strncmp(folder, root, len) == 0 && folder[len] == '/') {
        return folder + len;
    }
    return root && strncmp(root, folder, strlen(folder)) == 0 ? "/" : NULL;
}

const char *conf_mounts_of_folder(const char *folder, const char *root, apr_pool_t *pool)
{
    const char *address = address_of(folder, root);

    return address ? of_path(address, pool) : NULL;
}

/* The arguments of the search in one server. */
typedef struct search_t {
    apr_array_header_t *mounts;
    const char *root;
    apr_pool_t *pool;
} search_t;

static const char *cannot_tell(const search_t *search, const section_t *section)
{
    return apr_psprintf(
        search->pool,
        "SetHandler grip-chat stands in %s%s%s%s (%s:%d), which does not tell where the "
        "rooms are mounted; write GripChatMount and the path that stands before "
        "rooms/, for example GripChatMount /chat/",
        section->name, *section->path ? " \"" : "", section->path, *section->path ? "\">" : "",
        section->file, section->line);
}

static void add(const search_t *search, const char *mount)
{
    int i;

    for (i = 0; i < search->mounts->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(search->mounts, i, const char *), mount) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(search->mounts, const char *) = mount;
}

/* The folder as httpd compares it. */
static const char *folder_of(const char *path, apr_pool_t *pool)
{
    char *folder;

    if (apr_filepath_merge(&folder, NULL, path, APR_FILEPATH_TRUENAME, pool) != APR_SUCCESS) {
        return path;
    }
    return apr_pstrcat(pool, folder, folder[strlen(folder) - 1] == '/' ? NULL : "/", NULL);
}

/* Add the mount of a section; a folder of another host gives no mount of this one. */
static const char *add_section(const search_t *search, const section_t *section)
{
    const char *mount = NULL;

    if (gc_slice_equal_nocase(gc_slice_of(section->name), "<Location")) {
        mount = of_path(section->path, search->pool);
    }
    else if (gc_slice_equal_nocase(gc_slice_of(section->name), "<Directory") &&
             !apr_fnmatch_test(section->path))
    {
        const char *address = address_of(folder_of(section->path, search->pool), search->root);

        if (!address) {
            return NULL;
        }
        mount = of_path(address, search->pool);
    }
    if (!mount) {
        return cannot_tell(search, section);
    }
    add(search, mount);
    return NULL;
}

const char *conf_mounts_find(apr_array_header_t **out, const server_rec *s, apr_pool_t *pool)
{
    const core_server_config *core = ap_get_core_module_config(s->module_config);
    const apr_array_header_t *sections = conf_server_get(s)->sections;
    search_t search = {apr_array_make(pool, 1, sizeof(const char *)), core->ap_document_root, pool};
    const char *why = NULL;
    int i;

    for (i = 0; !why && sections && i < sections->nelts; i++) {
        why = add_section(&search, &APR_ARRAY_IDX(sections, i, section_t));
    }
    if (!why) {
        *out = search.mounts;
    }
    return why;
}
