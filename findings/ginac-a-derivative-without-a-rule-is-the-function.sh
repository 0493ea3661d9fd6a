#!/bin/sh
# GiNaC 1.8.6 (Debian's, through its shell ginsh): derivatives that GiNaC has no rule for, put
# into numbers, beside quotients.  Guessed: D[0](step)(x) stays as it is, or raises.  Seen: evalf
# makes a number of it, in silence, and the number is the value of the function:
# the slope of the step is 1 behind it, and that of the sign csgn -1 before it, both of which
# are constant there.  The multiple polylogarithms G, what GiNaC is known for, have no
# rule either: the slope of G({2}, x), 1/(x - 2), is told as -0.16 at 0.3 for -0.59, that is as G.
# The class of such derivatives, fderivative, inherits evalf from the one of functions.
# With a rule, as Li and H have, the numbers are right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for package in ginac-tools=1.8.6-1 libginac11=1.8.6-1 libcln6=1.3.6-4 libreadline8=8.2-1.3; do
    apt-get download --quiet --quiet --option APT::Sandbox::User=root "$package" >said 2>&1 ||
        { cat said; exit 1; }
done
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(find "$folder/root" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH
ginsh() {
    printf '%s;\n' "$1" | root/usr/bin/ginsh
}
told() {
    printf '%s at %s\n' "$1" "$2"
    slope="subs(subs(diff($1, x), {0} == 0), x == $2)"
    printf '   derivative, told: %s\n' "$(ginsh "evalf($slope)")"
    up=$(printf '%s' "$1" | sed "s|x|($2 + 1/10000)|")
    down=$(printf '%s' "$1" | sed "s|x|($2 - 1/10000)|")
    printf '   quotient: %s\n' "$(ginsh "evalf(5000*($up - $down))")"
    printf '   function: %s\n' "$(ginsh "evalf($(printf '%s' "$1" | sed "s|x|($2)|"))")"
}
{
    dpkg-deb --field ginac-tools*.deb Package Version | paste -sd' '
    told 'Li(3, x)' 3/10
    told 'H({2, 1}, x)' 3/10
    for function in step csgn; do
        printf 'the derivative of %s: %s\n' "$function" "$(ginsh "diff($function(x), x)")"
    done
    told 'step(x)' 3/10
    told 'csgn(x)' -2/5
    # by the weight, a list, it has a term too: times {0}, which is taken for 0
    told 'G({2}, x)' 3/10
} | sed 's/\(\.[0-9]\{6\}\)[0-9]*/\1/' >heard
cat >seen <<'END'
Package: ginac-tools Version: 1.8.6-1
Li(3, x) at 3/10
   derivative, told: 1.087098
   quotient: 1.087098
   function: 0.312400
H({2, 1}, x) at 3/10
   derivative, told: 0.212028
   quotient: 0.212028
   function: 0.028191
the derivative of step: D[0](step)(x)
the derivative of csgn: D[0](csgn)(x)
step(x) at 3/10
   derivative, told: 1
   quotient: 0
   function: 1.0
csgn(x) at -2/5
   derivative, told: -1
   quotient: 0
   function: -1.0
G({2}, x) at 3/10
   derivative, told: -0.162518
   quotient: -0.588235
   function: -0.162518
END
diff seen heard
echo "as seen: ginac-a-derivative-without-a-rule-is-the-function"
