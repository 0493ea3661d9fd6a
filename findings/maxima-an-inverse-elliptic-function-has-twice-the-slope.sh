#!/bin/sh
# Maxima 5.46.0 (Debian's): derivatives of Jacobi's elliptic functions and their inverses, in x
# and in the parameter m, put into numbers, beside quotients of what Maxima itself
# evaluates.  Guessed: right, or left as they are.  Seen: the twelve functions are right in both
# (three are asked here), and so are elliptic_f and the inverses' slopes in x, all but one:
# inverse_jacobi_dn, which falls, is told to rise, with the sign lost.  In m, the derivatives of
# inverse_jacobi_sn and inverse_jacobi_cn are twice what they should be, as if the 2 in the
# denominator of elliptic_f's had been forgotten, though inverse_jacobi_sn(x, m)
# is elliptic_f(asin(x), m); inverse_jacobi_dn's is wrong by another factor at each point.  All in
# silence.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for package in maxima=5.46.0-11 maxima-share=5.46.0-11 libtirpc3=1.3.3+ds-1; do
    apt-get download --quiet --quiet --option APT::Sandbox::User=root "$package" >said 2>&1 ||
        { cat said; exit 1; }
done
for package in *.deb; do dpkg -x "$package" root; done
cat >ask.mac <<'END'
ratprint: false$
print("Maxima", build_info()@version)$
h: 1e-5$
number(f, u, p) := ev(f(u, p), numer)$
told(f, u, p) := block([
    in_x: subst([x = u, m = p], diff(f(x, m), x)), in_m: subst([x = u, m = p], diff(f(x, m), m))],
    printf(true, "~a at (~4,2f, ~4,2f)~%", f, u, p),
    printf(true, "   in x: ~8,5f, quotient ~8,5f~%",
        ev(in_x, numer), (number(f, u + h, p) - number(f, u - h, p)) / (2*h)),
    printf(true, "   in m: ~8,5f, quotient ~8,5f~%",
        ev(in_m, numer), (number(f, u, p + h) - number(f, u, p - h)) / (2*h)))$
for f in [jacobi_sn, jacobi_cn, jacobi_dn, elliptic_f, lambda([x, m], elliptic_f(asin(x), m)),
    inverse_jacobi_sn, inverse_jacobi_cn, inverse_jacobi_dn] do told(f, 0.85, 0.4)$
told(inverse_jacobi_dn, 0.95, 0.4)$
END
cat >seen <<'END'
Maxima 5.46.0 
jacobi_sn at (0.85, 0.40)
   in x:  0.60905, quotient  0.60905
   in m: -0.05993, quotient -0.05993
jacobi_cn at (0.85, 0.40)
   in x: -0.64598, quotient -0.64598
   in m:  0.06356, quotient  0.06356
jacobi_dn at (0.85, 0.40)
   in x: -0.19965, quotient -0.19965
   in m: -0.27850, quotient -0.27850
elliptic_f at (0.85, 0.40)
   in x:  1.13649, quotient  1.13649
   in m:  0.11234, quotient  0.11234
lambda([x,m],elliptic_f(asin(x),m)) at (0.85, 0.40)
   in x:  2.25130, quotient  2.25130
   in m:  0.19636, quotient  0.19636
inverse_jacobi_sn at (0.85, 0.40)
   in x:  2.25130, quotient  2.25130
   in m:  0.39272, quotient  0.19636
inverse_jacobi_cn at (0.85, 0.40)
   in x: -2.01334, quotient -2.01334
   in m:  0.05958, quotient  0.02979
inverse_jacobi_dn at (0.85, 0.40)
   in x:  5.42376, quotient -5.42376
   in m: -1.85757, quotient -2.03547
inverse_jacobi_dn at (0.95, 0.40)
   in x:  5.82284, quotient -5.82284
   in m: -0.69925, quotient -0.72313
END
MAXIMA_PREFIX=$folder/root/usr LD_LIBRARY_PATH=$(dirname root/usr/lib/*/libtirpc.so.3) \
    sh root/usr/bin/maxima --very-quiet --batch-string 'batchload("ask.mac")$' 2>&1 |
    grep "^Maxima\|^   \| at " >heard
diff seen heard
echo "as seen: maxima-an-inverse-elliptic-function-has-twice-the-slope"
