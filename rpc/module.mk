# rpc: HTTP, WebSocket, JSON-RPC methods, subscriptions.  llhttp comes as sources from its package
# and is compiled here, apart from our warning flags.
flags_rpc := $(SYSTEM) -isystem $(LLHTTP_INCLUDE)
$(eval $(call library,rpc,$(wildcard rpc/*.c)))

llhttp_objects := $(patsubst %,$(B)/obj/llhttp/%.o,api http llhttp)
$(eval $(call library,llhttp,,$(llhttp_objects)))
$(llhttp_objects): $(B)/obj/llhttp/%.o: $(B)/flags | packages
	@mkdir -p $(@D)
	$(say) CC $(LLHTTP_SOURCES)/$*.c
	$(quiet)$(CC) $(CFLAGS_FOREIGN) -I$(LLHTTP_INCLUDE) -c -o $@ $(LLHTTP_SOURCES)/$*.c
