# consensus: blocks, votes, certificates, the engine, the light client.  Pure: no system interface.
flags_consensus :=
$(eval $(call library,consensus,$(wildcard consensus/*.c consensus/*/*.c)))
