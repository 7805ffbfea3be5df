#!/bin/sh
# Make the namespace and the search attributes, and wait until the server knows them. Safe to run again.
# Reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_RETENTION and SEARCH_ATTRIBUTES ("Name=Type Name=Type …").
set -eu

# Up to a minute: the server caches namespaces and attributes for a while after they are made.
patiently() {
    tries=60
    until "$@" >/tmp/temporal-said.$$ 2>&1; do
        tries=$((tries - 1))
        if [ "$tries" -eq 0 ]; then
            cat /tmp/temporal-said.$$ >&2
            return 1
        fi
        sleep 1
    done
    cat /tmp/temporal-said.$$
}
trap 'rm -f /tmp/temporal-said.$$' EXIT

patiently temporal operator cluster health >/dev/null
if ! temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
fi

present=$(patiently temporal operator search-attribute list)
known="WorkflowId is not null"
for one in $SEARCH_ATTRIBUTES; do
    name=${one%%=*}
    if ! printf '%s\n' "$present" | awk '{print $1}' | grep -qx "$name"; then
        temporal operator search-attribute create --name "$name" --type "${one#*=}"
    fi
    known="$known and $name is null"
done

# A query by every attribute passes only when the frontend has them all.
patiently temporal workflow count --query "$known" >/dev/null
echo "Namespace $TEMPORAL_NAMESPACE is ready."
