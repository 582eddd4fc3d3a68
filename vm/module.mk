# vm: the settlement machine.  Pure: no system interface.  vm/wire turns protobuf transactions into
# fixed structs; it calls protobuf-c and is an archive of its own outside the purity gate.
flags_vm := $(compile_twice)
wire_protos := $(wildcard vm/wire/*.proto)
$(eval $(call protobuf,$(wire_protos)))
$(eval $(call library,vmwire,$(wildcard vm/wire/*.c),$(call proto_objects,$(wire_protos))))
$(eval $(call library,vm,$(filter-out vm/wire/%,$(wildcard vm/*.c vm/*/*.c))))
