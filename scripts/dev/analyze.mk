# Two analyzers over each source of the module, read by make behind build/Makefile. A stamp says that a file,
# with all that it includes, had no finding.
analyzed := $(patsubst $(srcdir)/%.c,analyze/%,$(shell find $(srcdir)/mod_grip_chat -name '*.c' | sort))
# With the assertions: they tell an analyzer what a caller promises.
analyze_flags = -std=gnu11 -DHAVE_CONFIG_H -DGC_ASSERTIONS -I. $(patsubst %,-I%,$(shell find $(srcdir)/mod_grip_chat -type d)) \
	$(patsubst -I/usr/include,,$(APR_CPPFLAGS)) $(HTTPD_CPPFLAGS) $(CURL_CFLAGS) $(OPENSSL_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)

# It takes a ring for full that was just made. first and end, which say that it is empty, are not followed so far.
analyze/mod_grip_chat/httpd/stream/stream_pieces.gcc: analyze_flags += -Wno-analyzer-use-of-uninitialized-value
# It takes a text for longer than nothing and for no longer than a capacity of nothing.
analyze/mod_grip_chat/keeper/publish/publish_room.gcc: analyze_flags += -Wno-analyzer-null-argument

.PHONY: analyze
analyze: $(analyzed:%=%.gcc) $(analyzed:%=%.tidy)

analyze/%.gcc: $(srcdir)/%.c
	@mkdir -p $(@D)
	@gcc $(analyze_flags) -O1 -fanalyzer -Werror -MMD -MP -MF $@.d -MT $@ -c -o /dev/null $<
	@touch $@

# What the file includes is known from there.
analyze/%.tidy: analyze/%.gcc $(srcdir)/.clang-tidy
	@clang-tidy --quiet $(srcdir)/$*.c -- $(analyze_flags) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

-include $(analyzed:%=%.gcc.d)
