# --- unit tests and fuzz targets: one source each, linked to the layers alone ----------------------

# Programs that name no sources have one of their own name, and these flags.
AM_DEFAULT_SOURCE_EXT = .c
TESTED_LAYERS = libstream.la libkeeper.la libipc.la libipcshared.la libchat.la libgrip.la libgcbase.la \
	$(CURL_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(APR_LIBS)
LDADD = $(check_LTLIBRARIES) $(TESTED_LAYERS) $(CMOCKA_LIBS)
AM_CPPFLAGS = $(KEEPER_CPPFLAGS) -I$(srcdir)/mod_grip_chat/httpd/stream -I$(srcdir)/tests/unit/support -I$(srcdir)/tests/unit/grip \
	-I$(srcdir)/tests/unit/chat -I$(srcdir)/tests/unit/keeper -I$(srcdir)/tests/fuzz $(CMOCKA_CFLAGS)

check_LTLIBRARIES =
UNIT_TESTS =
FUZZ_TARGETS = \
	tests/fuzz/fuzz_base_b64url \
	tests/fuzz/fuzz_base_dotenv \
	tests/fuzz/fuzz_base_json \
	tests/fuzz/fuzz_base_percent \
	tests/fuzz/fuzz_base_slice \
	tests/fuzz/fuzz_chat_form \
	tests/fuzz/fuzz_chat_key \
	tests/fuzz/fuzz_chat_multipart \
	tests/fuzz/fuzz_chat_next_link \
	tests/fuzz/fuzz_chat_route \
	tests/fuzz/fuzz_grip_jws \
	tests/fuzz/fuzz_grip_last \
	tests/fuzz/fuzz_grip_url \
	tests/fuzz/fuzz_ipc_notice \
	tests/fuzz/fuzz_ipc_slots \
	tests/fuzz/fuzz_keeper_job

# Either libFuzzer has a main and runs targets, or the replay of the corpora does; libFuzzer's main would stand
# beside that of each unit test.
if LIBFUZZER
AM_LDFLAGS = $(GC_LDFLAGS) -fsanitize=fuzzer
else
AM_LDFLAGS = $(GC_LDFLAGS)
check_LTLIBRARIES += libreplay.la
if HAVE_CMOCKA
check_LTLIBRARIES += libunit.la
UNIT_TESTS += \
	tests/unit/base/test_gc_assert \
	tests/unit/base/test_gc_b64url \
	tests/unit/base/test_gc_buffer \
	tests/unit/base/test_gc_clock \
	tests/unit/base/test_gc_dotenv \
	tests/unit/base/test_gc_json \
	tests/unit/base/test_gc_lock \
	tests/unit/base/test_gc_log \
	tests/unit/base/test_gc_percent \
	tests/unit/base/test_gc_query \
	tests/unit/base/test_gc_slice \
	tests/unit/chat/test_chat_append \
	tests/unit/chat/test_chat_cache \
	tests/unit/chat/test_chat_cache_threads \
	tests/unit/chat/test_chat_codec \
	tests/unit/chat/test_chat_database \
	tests/unit/chat/test_chat_database_reader \
	tests/unit/chat/test_chat_database_replaced \
	tests/unit/chat/test_chat_database_statx \
	tests/unit/chat/test_chat_event_id \
	tests/unit/chat/test_chat_form \
	tests/unit/chat/test_chat_key \
	tests/unit/chat/test_chat_leftovers \
	tests/unit/chat/test_chat_list \
	tests/unit/chat/test_chat_multipart \
	tests/unit/chat/test_chat_multipart_clients \
	tests/unit/chat/test_chat_next_link \
	tests/unit/chat/test_chat_retention \
	tests/unit/chat/test_chat_retention_clock \
	tests/unit/chat/test_chat_route \
	tests/unit/chat/test_chat_schema \
	tests/unit/chat/test_chat_snapshot \
	tests/unit/chat/test_chat_sql \
	tests/unit/chat/test_chat_sse \
	tests/unit/chat/test_chat_store \
	tests/unit/chat/test_chat_store_base \
	tests/unit/chat/test_chat_store_keys \
	tests/unit/chat/test_chat_store_pages \
	tests/unit/chat/test_chat_tags \
	tests/unit/chat/test_chat_validate \
	tests/unit/grip/test_grip_answer \
	tests/unit/grip/test_grip_crypto \
	tests/unit/grip/test_grip_hold \
	tests/unit/grip/test_grip_item \
	tests/unit/grip/test_grip_jws \
	tests/unit/grip/test_grip_sig \
	tests/unit/grip/test_grip_sig_cache \
	tests/unit/grip/test_grip_transport \
	tests/unit/grip/test_grip_transport_names \
	tests/unit/grip/test_grip_transport_once \
	tests/unit/grip/test_grip_transport_wait \
	tests/unit/grip/test_grip_url \
	tests/unit/ipc/test_ipc_client \
	tests/unit/ipc/test_ipc_client_idle \
	tests/unit/ipc/test_ipc_frame \
	tests/unit/ipc/test_ipc_notice \
	tests/unit/ipc/test_ipc_shared \
	tests/unit/ipc/test_ipc_slots \
	tests/unit/keeper/publish/test_publish_backoff \
	tests/unit/keeper/publish/test_publish_log \
	tests/unit/keeper/publish/test_publish_proxy \
	tests/unit/keeper/publish/test_publish_proxy_faults \
	tests/unit/keeper/publish/test_publish_proxy_pace \
	tests/unit/keeper/publish/test_publish_room \
	tests/unit/keeper/publish/test_publish_rooms \
	tests/unit/keeper/test_keeper_clock \
	tests/unit/keeper/test_keeper_connection \
	tests/unit/keeper/test_keeper_crash \
	tests/unit/keeper/test_keeper_loop \
	tests/unit/keeper/test_keeper_subscribers \
	tests/unit/keeper/write/test_write_files \
	tests/unit/keeper/write/test_write_intake \
	tests/unit/keeper/write/test_write_job \
	tests/unit/keeper/write/test_write_lock \
	tests/unit/keeper/write/test_write_positions \
	tests/unit/keeper/write/test_write_sweep \
	tests/unit/keeper/write/test_write_thread \
	tests/unit/stream/test_stream_ledger \
	tests/unit/stream/test_stream_pieces \
	tests/unit/stream/test_stream_timeouts
endif
endif

# What several programs use; each takes what it needs of it.
libunit_la_SOURCES = \
	tests/unit/chat/cache_fixture.h \
	tests/unit/chat/database_fixture.h \
	tests/unit/chat/held_fixture.h \
	tests/unit/chat/reading_fixture.h \
	tests/unit/chat/retention_fixture.h \
	tests/unit/chat/snapshot_fixture.h \
	tests/unit/chat/store_fixture.h \
	tests/unit/grip/grip_stub.c \
	tests/unit/grip/grip_stub.h \
	tests/unit/grip/grip_vectors.h \
	tests/unit/keeper/keeper_fixture.h \
	tests/unit/keeper/keeper_child.c \
	tests/unit/keeper/keeper_child.h \
	tests/unit/keeper/keeper_process.c \
	tests/unit/keeper/keeper_process.h \
	tests/unit/keeper/keeper_stub.c \
	tests/unit/keeper/keeper_stub.h \
	tests/unit/support/unit.c \
	tests/unit/support/unit.h \
	tests/unit/support/unit_events.h \
	tests/unit/support/unit_temp.c \
	tests/unit/support/unit_temp.h \
	tests/unit/support/unit_wall_clock.c \
	tests/unit/support/unit_wall_clock.h

libreplay_la_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_base.h

# --- the load client of tests/integration -----------------------------------------------------------

noinst_PROGRAMS = tests/load/chat_load
tests_load_chat_load_SOURCES = \
	tests/load/load_asker.c \
	tests/load/load_asker.h \
	tests/load/load_clock.h \
	tests/load/load_control.c \
	tests/load/load_control.h \
	tests/load/load_histogram.c \
	tests/load/load_histogram.h \
	tests/load/load_http.c \
	tests/load/load_http.h \
	tests/load/load_line.c \
	tests/load/load_line.h \
	tests/load/load_loop.c \
	tests/load/load_loop.h \
	tests/load/load_main.c \
	tests/load/load_message.c \
	tests/load/load_message.h \
	tests/load/load_options.c \
	tests/load/load_options.h \
	tests/load/load_outage.c \
	tests/load/load_outage.h \
	tests/load/load_poster.c \
	tests/load/load_poster.h \
	tests/load/load_posters.c \
	tests/load/load_posters.h \
	tests/load/load_reader.c \
	tests/load/load_reader.h \
	tests/load/load_report.c \
	tests/load/load_report.h \
	tests/load/load_run.c \
	tests/load/load_run.h \
	tests/load/load_socket.c \
	tests/load/load_socket.h \
	tests/load/load_stream.c \
	tests/load/load_stream.h \
	tests/load/load_tls.c \
	tests/load/load_tls.h \
	tests/load/load_track.c \
	tests/load/load_track.h
tests_load_chat_load_LDFLAGS = $(GC_LDFLAGS)
tests_load_chat_load_CPPFLAGS = $(BASE_CPPFLAGS) $(JANSSON_CFLAGS) $(LIBSSL_CFLAGS)
tests_load_chat_load_LDADD = libgcbase.la $(JANSSON_LIBS) $(LIBSSL_LIBS) $(OPENSSL_LIBS) $(APR_LIBS) -lm

# The bench's yardstick; -rpath makes libtool link a loadable object of what is not installed.
noinst_LTLIBRARIES += tests/modules/mod_bench_yardstick.la
tests_modules_mod_bench_yardstick_la_CPPFLAGS = $(BASE_CPPFLAGS) $(HTTPD_CPPFLAGS)
tests_modules_mod_bench_yardstick_la_LDFLAGS = $(GC_LDFLAGS) -module -avoid-version -shared \
	-rpath $(abs_builddir)/tests/modules -export-symbols-regex '^bench_yardstick_module$$'
tests_modules_mod_bench_yardstick_la_SOURCES = \
	tests/bench/bench_journal.h \
	tests/modules/mod_bench_yardstick.c

noinst_PROGRAMS += tests/bench/bench_journal
tests_bench_bench_journal_LDFLAGS = $(GC_LDFLAGS)
tests_bench_bench_journal_LDADD =
tests_bench_bench_journal_SOURCES = \
	tests/bench/bench_journal.c \
	tests/bench/bench_journal.h

# What the tests of the module's own streams put beside it, likewise.
noinst_LTLIBRARIES += tests/modules/mod_slow_parking.la
tests_modules_mod_slow_parking_la_CPPFLAGS = $(BASE_CPPFLAGS) $(HTTPD_CPPFLAGS)
tests_modules_mod_slow_parking_la_LDFLAGS = $(GC_LDFLAGS) -module -avoid-version -shared \
	-rpath $(abs_builddir)/tests/modules -export-symbols-regex '^slow_parking_module$$'
tests_modules_mod_slow_parking_la_SOURCES = tests/modules/mod_slow_parking.c

# The module once more, with another layout of shared memory: what an upgrade replaces it by. It also has a directive
# that stands in a Location, as the module itself has none yet.
noinst_LTLIBRARIES += tests/upgrade/libdirectives.la
tests_upgrade_libdirectives_la_CPPFLAGS = $(mod_grip_chat_la_CPPFLAGS) -DCONF_DIRECTIVES_OF_TESTS
tests_upgrade_libdirectives_la_SOURCES = $(libdirectives_la_SOURCES)
noinst_LTLIBRARIES += tests/upgrade/libipcshared.la tests/upgrade/mod_grip_chat.la
tests_upgrade_libipcshared_la_CPPFLAGS = $(IPC_CPPFLAGS) -DLAYOUT_MARK='APR_UINT64_C(0x67636861740000ff)'
tests_upgrade_libipcshared_la_SOURCES = mod_grip_chat/ipc/ipc_shared.c
tests_upgrade_mod_grip_chat_la_LDFLAGS = $(mod_grip_chat_la_LDFLAGS) -rpath $(abs_builddir)/tests/upgrade
tests_upgrade_mod_grip_chat_la_LIBADD = $(mod_grip_chat_la_OBJECTS) \
	$(subst libdirectives.la,tests/upgrade/libdirectives.la,$(subst \
	libipcshared.la,tests/upgrade/libipcshared.la,$(mod_grip_chat_la_LIBADD)))
tests_upgrade_mod_grip_chat_la_DEPENDENCIES = mod_grip_chat.la tests/upgrade/libdirectives.la \
	tests/upgrade/libipcshared.la
tests_upgrade_mod_grip_chat_la_SOURCES =

# A module that tells the tests of that directive, likewise.
noinst_LTLIBRARIES += tests/modules/mod_section_number.la
tests_modules_mod_section_number_la_CPPFLAGS = $(tests_upgrade_libdirectives_la_CPPFLAGS)
tests_modules_mod_section_number_la_LDFLAGS = $(GC_LDFLAGS) -module -avoid-version -shared \
	-rpath $(abs_builddir)/tests/modules -export-symbols-regex '^section_number_module$$'
tests_modules_mod_section_number_la_LIBADD =
tests_modules_mod_section_number_la_SOURCES = tests/modules/mod_section_number.c
