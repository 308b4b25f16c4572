# Sourced by the other scripts: need_packages GROUP... makes sure that the packages of scripts/packages are there. As root it
# installs what is missing; anybody else is told the exact command. Everything it prints goes to standard error.

packages_of() {	# GROUP...
	awk -v groups=" $* " '/^\[/ { on = index(groups, " " substr($0, 2, length($0) - 2) " "); next } /^[?a-z0-9]/ && on' \
		"$(dirname "${BASH_SOURCE[0]}")/packages"
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

need_packages() {
	local name optional missing=() maybe=()

	if ! command -v dpkg-query >/dev/null; then
		echo "This is no Debian or Ubuntu: install what scripts/packages lists by hand." >&2
		return 0
	fi
	for name in $(packages_of "$@"); do
		optional=${name%%[^?]*}
		name=${name#\?}
		is_installed "$name" || { [ -n "$optional" ] && maybe+=("$name") || missing+=("$name"); }
	done
	[ ${#missing[@]} -eq 0 ] && [ ${#maybe[@]} -eq 0 -o "$(id -u)" -ne 0 ] && return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "Packages are missing. As root: apt-get install --no-install-recommends ${missing[*]}" >&2
		return 1
	fi
	if [ ${#missing[@]} -gt 0 ]; then
		apt-get update -qq >&2 || return 1
	fi
	for name in "${maybe[@]}"; do
		[ -n "$(apt-cache madison "$name" 2>/dev/null)" ] && missing+=("$name")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	echo "installing ${missing[*]}" >&2
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}
