# --- the layers, lowest first; what a library may include is what its CPPFLAGS name ---------------

noinst_LTLIBRARIES = libgcbase.la libgrip.la libchat.la libipc.la libkeeper.la

libgcbase_la_CPPFLAGS = $(BASE_CPPFLAGS) $(JANSSON_CFLAGS)
libgcbase_la_SOURCES = \
	mod_grip_chat/base/gc_assert.c \
	mod_grip_chat/base/gc_assert.h \
	mod_grip_chat/base/gc_b64url.c \
	mod_grip_chat/base/gc_b64url.h \
	mod_grip_chat/base/gc_buffer.c \
	mod_grip_chat/base/gc_buffer.h \
	mod_grip_chat/base/gc_clock.c \
	mod_grip_chat/base/gc_clock.h \
	mod_grip_chat/base/gc_dotenv.c \
	mod_grip_chat/base/gc_dotenv.h \
	mod_grip_chat/base/gc_json.c \
	mod_grip_chat/base/gc_json.h \
	mod_grip_chat/base/gc_lock.c \
	mod_grip_chat/base/gc_lock.h \
	mod_grip_chat/base/gc_log.c \
	mod_grip_chat/base/gc_log.h \
	mod_grip_chat/base/gc_percent.c \
	mod_grip_chat/base/gc_percent.h \
	mod_grip_chat/base/gc_pool.c \
	mod_grip_chat/base/gc_pool.h \
	mod_grip_chat/base/gc_query.c \
	mod_grip_chat/base/gc_query.h \
	mod_grip_chat/base/gc_seqlock.c \
	mod_grip_chat/base/gc_seqlock.h \
	mod_grip_chat/base/gc_slice.c \
	mod_grip_chat/base/gc_slice.h

libgrip_la_CPPFLAGS = $(GRIP_CPPFLAGS) $(CURL_CFLAGS) $(OPENSSL_CFLAGS)
libgrip_la_SOURCES = \
	mod_grip_chat/grip/grip_answer.c \
	mod_grip_chat/grip/grip_answer.h \
	mod_grip_chat/grip/grip_authorize.c \
	mod_grip_chat/grip/grip_authorize.h \
	mod_grip_chat/grip/grip_crypto.h \
	mod_grip_chat/grip/grip_crypto_openssl.c \
	mod_grip_chat/grip/grip_hold.c \
	mod_grip_chat/grip/grip_hold.h \
	mod_grip_chat/grip/grip_item.c \
	mod_grip_chat/grip/grip_item.h \
	mod_grip_chat/grip/grip_jws.c \
	mod_grip_chat/grip/grip_jws.h \
	mod_grip_chat/grip/grip_sig.c \
	mod_grip_chat/grip/grip_sig.h \
	mod_grip_chat/grip/grip_sig_cache.c \
	mod_grip_chat/grip/grip_sig_cache.h \
	mod_grip_chat/grip/grip_transport.h \
	mod_grip_chat/grip/grip_transport_curl.c \
	mod_grip_chat/grip/grip_url.c \
	mod_grip_chat/grip/grip_url.h
if LOOKS_UP_NAMES
libgrip_la_SOURCES += \
	mod_grip_chat/grip/grip_lookup.c \
	mod_grip_chat/grip/grip_lookup.h \
	mod_grip_chat/grip/grip_names.c \
	mod_grip_chat/grip/grip_names.h
endif

libchat_la_CPPFLAGS = $(CHAT_CPPFLAGS) $(SQLITE_CFLAGS)
libchat_la_SOURCES = \
	mod_grip_chat/chat/chat_append.c \
	mod_grip_chat/chat/chat_block.c \
	mod_grip_chat/chat/chat_block.h \
	mod_grip_chat/chat/chat_cache.c \
	mod_grip_chat/chat/chat_cache.h \
	mod_grip_chat/chat/chat_codec.c \
	mod_grip_chat/chat/chat_codec.h \
	mod_grip_chat/chat/chat_database.h \
	mod_grip_chat/chat/chat_database_connection.h \
	mod_grip_chat/chat/chat_database_dbd.c \
	mod_grip_chat/chat/chat_database_file.c \
	mod_grip_chat/chat/chat_database_file.h \
	mod_grip_chat/chat/chat_database_open.c \
	mod_grip_chat/chat/chat_database_schema.c \
	mod_grip_chat/chat/chat_database_schema.h \
	mod_grip_chat/chat/chat_database_sqlite.c \
	mod_grip_chat/chat/chat_database_sqlite.h \
	mod_grip_chat/chat/chat_database_use.c \
	mod_grip_chat/chat/chat_event_id.c \
	mod_grip_chat/chat/chat_event_id.h \
	mod_grip_chat/chat/chat_form.c \
	mod_grip_chat/chat/chat_form.h \
	mod_grip_chat/chat/chat_key.c \
	mod_grip_chat/chat/chat_key.h \
	mod_grip_chat/chat/chat_kind.c \
	mod_grip_chat/chat/chat_kind.h \
	mod_grip_chat/chat/chat_leftovers.c \
	mod_grip_chat/chat/chat_leftovers.h \
	mod_grip_chat/chat/chat_list.c \
	mod_grip_chat/chat/chat_list.h \
	mod_grip_chat/chat/chat_multipart.c \
	mod_grip_chat/chat/chat_multipart.h \
	mod_grip_chat/chat/chat_next_link.c \
	mod_grip_chat/chat/chat_next_link.h \
	mod_grip_chat/chat/chat_retention.c \
	mod_grip_chat/chat/chat_retention.h \
	mod_grip_chat/chat/chat_route.c \
	mod_grip_chat/chat/chat_route.h \
	mod_grip_chat/chat/chat_snapshot.c \
	mod_grip_chat/chat/chat_snapshot.h \
	mod_grip_chat/chat/chat_sql.c \
	mod_grip_chat/chat/chat_sql.h \
	mod_grip_chat/chat/chat_sse.c \
	mod_grip_chat/chat/chat_sse.h \
	mod_grip_chat/chat/chat_store.c \
	mod_grip_chat/chat/chat_store.h \
	mod_grip_chat/chat/chat_tags.c \
	mod_grip_chat/chat/chat_tags.h \
	mod_grip_chat/chat/chat_types.h \
	mod_grip_chat/chat/chat_unseen.c \
	mod_grip_chat/chat/chat_unseen.h \
	mod_grip_chat/chat/chat_validate.c \
	mod_grip_chat/chat/chat_validate.h

libipc_la_CPPFLAGS = $(IPC_CPPFLAGS)
libipc_la_SOURCES = \
	mod_grip_chat/ipc/ipc_client.c \
	mod_grip_chat/ipc/ipc_client.h \
	mod_grip_chat/ipc/ipc_frame.c \
	mod_grip_chat/ipc/ipc_frame.h \
	mod_grip_chat/ipc/ipc_notice.c \
	mod_grip_chat/ipc/ipc_notice.h \
	mod_grip_chat/ipc/ipc_site.c \
	mod_grip_chat/ipc/ipc_site.h \
	mod_grip_chat/ipc/ipc_slots.c \
	mod_grip_chat/ipc/ipc_slots.h \
	mod_grip_chat/ipc/ipc_subscription.c \
	mod_grip_chat/ipc/ipc_subscription.h

libkeeper_la_CPPFLAGS = $(KEEPER_CPPFLAGS)
libkeeper_la_SOURCES = \
	mod_grip_chat/keeper/keeper_config.h \
	mod_grip_chat/keeper/keeper_connection.c \
	mod_grip_chat/keeper/keeper_connection.h \
	mod_grip_chat/keeper/keeper_loop.c \
	mod_grip_chat/keeper/keeper_loop.h \
	mod_grip_chat/keeper/keeper_poll.c \
	mod_grip_chat/keeper/keeper_poll.h \
	mod_grip_chat/keeper/keeper_sites.c \
	mod_grip_chat/keeper/keeper_sites.h \
	mod_grip_chat/keeper/keeper_subscribers.c \
	mod_grip_chat/keeper/keeper_subscribers.h \
	mod_grip_chat/keeper/keeper_task.c \
	mod_grip_chat/keeper/keeper_task.h \
	mod_grip_chat/keeper/publish/publish_backoff.c \
	mod_grip_chat/keeper/publish/publish_backoff.h \
	mod_grip_chat/keeper/publish/publish_log.c \
	mod_grip_chat/keeper/publish/publish_log.h \
	mod_grip_chat/keeper/publish/publish_pace.h \
	mod_grip_chat/keeper/publish/publish_post.c \
	mod_grip_chat/keeper/publish/publish_post.h \
	mod_grip_chat/keeper/publish/publish_proxy.c \
	mod_grip_chat/keeper/publish/publish_proxy.h \
	mod_grip_chat/keeper/publish/publish_room.c \
	mod_grip_chat/keeper/publish/publish_room.h \
	mod_grip_chat/keeper/publish/publish_rooms.c \
	mod_grip_chat/keeper/publish/publish_rooms.h \
	mod_grip_chat/keeper/write/write_append.c \
	mod_grip_chat/keeper/write/write_append.h \
	mod_grip_chat/keeper/write/write_batch.c \
	mod_grip_chat/keeper/write/write_batch.h \
	mod_grip_chat/keeper/write/write_database.c \
	mod_grip_chat/keeper/write/write_database.h \
	mod_grip_chat/keeper/write/write_files.c \
	mod_grip_chat/keeper/write/write_files.h \
	mod_grip_chat/keeper/write/write_intake.c \
	mod_grip_chat/keeper/write/write_intake.h \
	mod_grip_chat/keeper/write/write_job.c \
	mod_grip_chat/keeper/write/write_job.h \
	mod_grip_chat/keeper/write/write_lock.c \
	mod_grip_chat/keeper/write/write_lock.h \
	mod_grip_chat/keeper/write/write_positions.c \
	mod_grip_chat/keeper/write/write_positions.h \
	mod_grip_chat/keeper/write/write_recovery.c \
	mod_grip_chat/keeper/write/write_recovery.h \
	mod_grip_chat/keeper/write/write_sweep.c \
	mod_grip_chat/keeper/write/write_sweep.h \
	mod_grip_chat/keeper/write/write_thread.c \
	mod_grip_chat/keeper/write/write_thread.h

# The layout of shared memory by itself, because the tests build a module with another number for it.
noinst_LTLIBRARIES += libipcshared.la
libipcshared_la_CPPFLAGS = $(IPC_CPPFLAGS)
libipcshared_la_SOURCES = \
	mod_grip_chat/ipc/ipc_shared.c \
	mod_grip_chat/ipc/ipc_shared.h

# The parts of streams that need nothing of httpd, and are tested without it: its headers are not to be found.
noinst_LTLIBRARIES += libstream.la
libstream_la_CPPFLAGS = $(CHAT_CPPFLAGS) -I$(srcdir)/mod_grip_chat/httpd/stream
libstream_la_SOURCES = \
	mod_grip_chat/httpd/stream/stream_ledger.c \
	mod_grip_chat/httpd/stream/stream_ledger.h \
	mod_grip_chat/httpd/stream/stream_pieces.c \
	mod_grip_chat/httpd/stream/stream_pieces.h \
	mod_grip_chat/httpd/stream/stream_timeouts.c \
	mod_grip_chat/httpd/stream/stream_timeouts.h

# The table of directives by itself, because the tests build a module that has one more, in a Location.
noinst_LTLIBRARIES += libdirectives.la
libdirectives_la_CPPFLAGS = $(mod_grip_chat_la_CPPFLAGS)
libdirectives_la_SOURCES = \
	mod_grip_chat/httpd/conf/conf_directives.c \
	mod_grip_chat/httpd/conf/conf_server.c

# --- the module: one loadable object that exports only its record ----------------------------------

module_LTLIBRARIES = mod_grip_chat.la
mod_grip_chat_la_CPPFLAGS = $(KEEPER_CPPFLAGS) $(HTTPD_CPPFLAGS) -I$(srcdir)/mod_grip_chat/httpd \
	-I$(srcdir)/mod_grip_chat/httpd/conf -I$(srcdir)/mod_grip_chat/httpd/room \
	-I$(srcdir)/mod_grip_chat/httpd/stream -I$(srcdir)/mod_grip_chat/httpd/process \
	-I$(srcdir)/mod_grip_chat/httpd/request
mod_grip_chat_la_LDFLAGS = $(GC_LDFLAGS) -module -avoid-version -shared \
	-export-symbols-regex '^grip_chat_module$$'
mod_grip_chat_la_LIBADD = libdirectives.la libstream.la libkeeper.la libipc.la libipcshared.la libchat.la libgrip.la libgcbase.la \
	$(CURL_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(APR_LIBS)
mod_grip_chat_la_SOURCES = \
	mod_grip_chat/httpd/conf/conf_argument.c \
	mod_grip_chat/httpd/conf/conf_argument.h \
	mod_grip_chat/httpd/conf/conf_check.c \
	mod_grip_chat/httpd/conf/conf_check.h \
	mod_grip_chat/httpd/conf/conf_directive_limits.c \
	mod_grip_chat/httpd/conf/conf_directive_limits.h \
	mod_grip_chat/httpd/conf/conf_directive_site.c \
	mod_grip_chat/httpd/conf/conf_directive_site.h \
	mod_grip_chat/httpd/conf/conf_env.c \
	mod_grip_chat/httpd/conf/conf_env.h \
	mod_grip_chat/httpd/conf/conf_mounts.c \
	mod_grip_chat/httpd/conf/conf_mounts.h \
	mod_grip_chat/httpd/conf/conf_row.c \
	mod_grip_chat/httpd/conf/conf_row.h \
	mod_grip_chat/httpd/conf/conf_server.h \
	mod_grip_chat/httpd/conf/conf_site.c \
	mod_grip_chat/httpd/conf/conf_site.h \
	mod_grip_chat/httpd/conf/conf_trust.c \
	mod_grip_chat/httpd/conf/conf_trust.h \
	mod_grip_chat/httpd/mod_grip_chat.c \
	mod_grip_chat/httpd/mod_grip_chat.h \
	mod_grip_chat/httpd/process/process_features.c \
	mod_grip_chat/httpd/process/process_features.h \
	mod_grip_chat/httpd/process/process_hooks.c \
	mod_grip_chat/httpd/process/process_hooks.h \
	mod_grip_chat/httpd/process/process_keeper.c \
	mod_grip_chat/httpd/process/process_keeper.h \
	mod_grip_chat/httpd/process/process_once.c \
	mod_grip_chat/httpd/process/process_once.h \
	mod_grip_chat/httpd/process/process_retained.c \
	mod_grip_chat/httpd/process/process_retained.h \
	mod_grip_chat/httpd/process/process_socket.c \
	mod_grip_chat/httpd/process/process_socket.h \
	mod_grip_chat/httpd/process/process_status.c \
	mod_grip_chat/httpd/process/process_status.h \
	mod_grip_chat/httpd/request/request_address.c \
	mod_grip_chat/httpd/request/request_address.h \
	mod_grip_chat/httpd/request/request_body.c \
	mod_grip_chat/httpd/request/request_body.h \
	mod_grip_chat/httpd/request/request_dirwalk.c \
	mod_grip_chat/httpd/request/request_dirwalk.h \
	mod_grip_chat/httpd/request/request_events.c \
	mod_grip_chat/httpd/request/request_events.h \
	mod_grip_chat/httpd/request/request_handler.c \
	mod_grip_chat/httpd/request/request_handler.h \
	mod_grip_chat/httpd/request/request_messages.c \
	mod_grip_chat/httpd/request/request_messages.h \
	mod_grip_chat/httpd/request/request_next_link.c \
	mod_grip_chat/httpd/request/request_next_link.h \
	mod_grip_chat/httpd/request/request_others.c \
	mod_grip_chat/httpd/request/request_others.h \
	mod_grip_chat/httpd/request/request_position.c \
	mod_grip_chat/httpd/request/request_position.h \
	mod_grip_chat/httpd/request/request_proxied.c \
	mod_grip_chat/httpd/request/request_proxied.h \
	mod_grip_chat/httpd/request/request_reply.c \
	mod_grip_chat/httpd/request/request_reply.h \
	mod_grip_chat/httpd/room/room_bucket.c \
	mod_grip_chat/httpd/room/room_bucket.h \
	mod_grip_chat/httpd/room/room_view.c \
	mod_grip_chat/httpd/room/room_view.h \
	mod_grip_chat/httpd/stream/stream_backlog.c \
	mod_grip_chat/httpd/stream/stream_backlog.h \
	mod_grip_chat/httpd/stream/stream_capacity.c \
	mod_grip_chat/httpd/stream/stream_capacity.h \
	mod_grip_chat/httpd/stream/stream_child.c \
	mod_grip_chat/httpd/stream/stream_child.h \
	mod_grip_chat/httpd/stream/stream_children.c \
	mod_grip_chat/httpd/stream/stream_children.h \
	mod_grip_chat/httpd/stream/stream_connection.c \
	mod_grip_chat/httpd/stream/stream_connection.h \
	mod_grip_chat/httpd/stream/stream_connections.c \
	mod_grip_chat/httpd/stream/stream_connections.h \
	mod_grip_chat/httpd/stream/stream_delivery.c \
	mod_grip_chat/httpd/stream/stream_delivery.h \
	mod_grip_chat/httpd/stream/stream_ender.c \
	mod_grip_chat/httpd/stream/stream_ender.h \
	mod_grip_chat/httpd/stream/stream_feed.c \
	mod_grip_chat/httpd/stream/stream_feed.h \
	mod_grip_chat/httpd/stream/stream_load.c \
	mod_grip_chat/httpd/stream/stream_load.h \
	mod_grip_chat/httpd/stream/stream_loader.c \
	mod_grip_chat/httpd/stream/stream_loader.h \
	mod_grip_chat/httpd/stream/stream_loop.c \
	mod_grip_chat/httpd/stream/stream_loop.h \
	mod_grip_chat/httpd/stream/stream_quota.c \
	mod_grip_chat/httpd/stream/stream_quota.h \
	mod_grip_chat/httpd/stream/stream_room.c \
	mod_grip_chat/httpd/stream/stream_room.h
