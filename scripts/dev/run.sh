# shellcheck shell=bash
# ./dev run: serves the chat page.

cmd_run() {
    origin_port=3000 port=7676 pushpin_port=7677 publish_port=5561 mpm=event proxy=yes edge=no install=yes
    grip_url=
    local wanted_dir=
    while [[ $# -gt 0 ]]; do
        case $1 in
            --origin-port | --port | --pushpin-port | --publish-port | --dir | --mpm | --grip-url)
                [[ $# -ge 2 ]] || die "$1 needs a value"
                ;;&
            --origin-port) origin_port=$2; shift ;;
            --port) port=$2; shift ;;
            --pushpin-port) pushpin_port=$2; shift ;;
            --publish-port) publish_port=$2; shift ;;
            --grip-url) grip_url=$2; shift ;;
            --edge) edge=yes ;;
            --dir) wanted_dir=$2; shift ;;
            --mpm) mpm=$2; shift ;;
            --no-proxy) proxy=no ;;
            --no-install) install=no ;;
            *) die "run: unknown option '$1'; ./dev tells which there are" ;;
        esac
        shift
    done
    if [[ $proxy == yes ]]; then
        [[ -z $grip_url ]] || die "--grip-url is for --no-proxy"
        grip_url="http://127.0.0.1:$publish_port/?key=changeme"
    else
        [[ $edge == no ]] || die "--edge needs the proxy"
        grip_url=${grip_url:-none}
    fi
    # Whoever is in front is at the page's port.
    [[ $edge == yes ]] || pushpin_port=$port
    [[ $mpm =~ ^(event|worker|prefork)$ ]] || die "--mpm: '$mpm' is not event, worker or prefork"
    check_port "$origin_port" --origin-port
    if [[ $proxy == yes ]]; then
        check_port "$port" --port
        check_port "$publish_port" --publish-port "a Pushpin run as a service takes it too"
        [[ $edge == no ]] || check_port "$pushpin_port" --pushpin-port
        local ports=("$origin_port" "$port" "$publish_port")
        [[ $edge == no ]] || ports+=("$pushpin_port")
        [[ -z $(printf '%s\n' "${ports[@]}" | sort | uniq -d) ]] ||
            die "--port, --origin-port, --publish-port and --pushpin-port must differ"
    fi
    PATH=$PATH:/usr/sbin:/sbin
    # What is made for a run is read by the user that Apache's children run as.
    umask 022
    install_packages "${packages_run[@]}"
    [[ $proxy == no ]] || find_pushpin
    if [[ $proxy == yes && -z $pushpin ]]; then
        [[ $edge == no ]] || die "--edge needs Pushpin, and there is none here (docs/pushpin.md says where it is)"
        say "there is no Pushpin here: Apache alone serves the page, and holds the streams itself"
        proxy=no grip_url=none origin_port=$port
    fi
    build_tree build gcc >&2 || die "the build failed"
    if [[ $edge == yes ]]; then
        install_packages "${packages_edge[@]}"
        build_edge || die "the build of the edge app failed"
    fi
    choose_run_dir "$wanted_dir"
    choose_htdocs
    configure_run
    serve
}
