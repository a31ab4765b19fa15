# shellcheck shell=bash
# How to call it.

usage() {
    cat <<'END'
usage: ./dev COMMAND [OPTIONS]

  run      build, then serve the chat page with Apache and Pushpin until Ctrl-C; where there is
           no Pushpin, with Apache alone
             --origin-port N   Apache's port (3000)
             --port N          the page's port, Pushpin's (7676)
             --publish-port N  where Pushpin takes publishes (5561)
             --dir DIR         where database, logs and sockets are kept (run/)
             --mpm NAME        event, worker or prefork (event)
             --edge            the edge app in front of both, as in production: in Viceroy where it
                               is installed, else in its stand-in; the page's port is then the app's
             --pushpin-port N  Pushpin's port behind the edge app (7677)
             --no-proxy        Apache alone; on event it holds the streams, else the page polls
             --grip-url URL    with --no-proxy: a proxy that you start yourself
             --no-install      do not install missing packages
  check    build with gcc and clang, run every test there is, as CI does
             --no-install      do not install missing packages
  analyze  look at what has changed of the module with clang-tidy and gcc -fanalyzer, as check does
             --no-install      do not install missing packages
  soak     inject every fault under load in its long form, then load for an hour (about
           two hours in all); the figures go to build/results/faults-figures.txt
             --hours N         how long the last load goes on (1; may be 0.5)
             -k EXPR           only these cases, as pytest selects them
             --no-install      do not install missing packages
  debian   try another Debian in a directory of its own, as root: build, run, `make check`
             --name NAME       which (trixie)
             --dir DIR         where (/var/tmp/grip-chat-NAME)
  bench    measure requests beside Apache's own static file or an empty handler, and event
           streams beside nchan and, where it is found, Centrifugo, as ratios (about an hour on an
           idle machine)
             --quick           shorter, with smaller databases (a few minutes)
             --smoke           only whether the bench works
             --long            look at memory after 10 million requests
             --runs N          how many runs of each side count (5)
             -k EXPR           only the rows of the table that this matches, and no plots
             --original DIR    also beside the original demo, whose folder `origin` DIR is (needs
                               gunicorn and what its README installs)
             --no-plots        the table alone
             --write           write docs/performance.md and docs/plots/
             --no-install      do not install missing packages
  fuzz     feed the parsers with malformed input, until a check fails
             --minutes N       how long in all (10)
             --target NAME     one of them (tests/fuzz/fuzz_NAME.c)
             --no-install      do not install missing packages
  fmt      lay out the C sources with clang-format
             --check           only say which ones need it
END
}
