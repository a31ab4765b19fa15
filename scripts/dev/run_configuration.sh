# shellcheck shell=bash
# ./dev run: the configuration of its servers, from conf/dev.

# fill TEMPLATE OUTPUT: conf/dev/TEMPLATE with its words between @ signs replaced.
fill() {
    local grip_url_text
    # shellcheck disable=SC2001 # from 5.2 on, an & in what bash puts in stands for what it replaces
    grip_url_text=$(sed 's/[&|\]/\\&/g' <<<"$grip_url")
    sed -e "s|@RUN_DIR@|$run_dir|g" \
        -e "s|@PUSHPIN_DIR@|$run_dir/pushpin|g" \
        -e "s|@MODULES_DIR@|$(apxs -q LIBEXECDIR)|g" \
        -e "s|@MODULE@|$root/build/.libs/mod_grip_chat.so|g" \
        -e "s|@DATABASE@|$run_dir/db/chat.db|g" \
        -e "s|@HTDOCS@|$htdocs|g" \
        -e "s|@PAGE_CONF@|$root/conf/page.conf|g" \
        -e "s|@GRIP_URL@|$grip_url_text|g" \
        -e "s|@ORIGIN_PORT@|$origin_port|g" \
        -e "s|@PORT@|$pushpin_port|g" \
        -e "s|@PUBLISH_PORT@|$publish_port|g" \
        -e "s|@MPM@|$mpm|g" \
        -e "s|@RUN_USER@|$(run_user)|g" \
        -e "s|@RUN_GROUP@|$(run_group)|g" \
        -e "s|@LOG_LEVEL@|info|g" \
        -e "s|@SIG_KEY@|changeme|g" \
        -e "s|@SIG_ISS@|pushpin|g" \
        -e "s|@SERVICES@|$services|g" \
        "$root/conf/dev/$1" >"$run_dir/$2"
}

configure_run() {
    local services=
    [[ $proxy == no ]] || services=$(pushpin_services)
    mkdir -p "$run_dir/db" "$run_dir/empty" "$run_dir/pushpin/log"
    if [[ $EUID -eq 0 ]]; then
        chown -R "$(run_user):$(run_group)" "$run_dir/db"
    fi
    fill httpd.conf.in httpd.conf
    fill site.conf.in site.conf
    apache2 -t -f "$run_dir/httpd.conf" >&2 || die "Apache refuses the configuration"
    [[ $proxy == yes ]] || return 0
    fill pushpin.conf.in pushpin/pushpin.conf
    fill routes.in pushpin/routes
    sed 's|ipc:///var/run/zurl/zurl-|ipc://{rundir}/{ipc_prefix}zurl-|' \
        "$(pushpin_internal_conf)" >"$run_dir/pushpin/internal.conf"
    [[ $edge == yes ]] || return 0
    # For Viceroy: edge/fastly.toml with the ports of this run.
    sed -e "s|127\.0\.0\.1:3000|127.0.0.1:$origin_port|" edge/fastly.toml >"$run_dir/fastly.toml"
}
