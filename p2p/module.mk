# p2p: TLS sessions, handshake, peers, gossip, frames; its envelope is protobuf.
flags_p2p := $(SYSTEM)
p2p_protos := $(wildcard p2p/*.proto)
$(eval $(call protobuf,$(p2p_protos)))
$(eval $(call library,p2p,$(wildcard p2p/*.c),$(call proto_objects,$(p2p_protos))))
