# id: D4
# attack: draw 32 distorted copies of every public image from a table of their principal components, before READY
# file: model.py
# expect: disqualified
# open: stated in SECURITY.md: work before READY on what the source carries; 25 bits an image are enough
import base64
import numpy as np
BITS = [3, 3, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1]
COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
RAW = base64.b85decode(
    "00JRON+byZ01QD(Kr;*h01!SbEHMiJ01r7gJ}(Xc01q%ZKsOQq017KDFf$ea00b{QJ2w{r00JXSN-"
    "7Nk0RHOo{r3L=0QBe&`|AGy0Qd+N@9+Zv00tTS>-+@(01zb*2?PQF01F-&6#@JJ0RQ?43-"
    "bB^0RQOn|M&d=0RQ{{`}F$%0R9I5_xt()00b2K=>P)&00<NE<^=};00{}@;}H!200j-"
    "@;usbH009s5_8kuZ0RQ;{6A}Xd00IpS^XBya00;>O0Oaug00aOB3gPkp0Q~s}|K0Hb0Q>z80_OJs0R9XS_wok-"
    "00I{g`v?{S00ImO4i^yv00I&e0}2NL00$og@dE__01Ou7<oW^t016E4>i7l#00jyG^Y8%x009LC{q6Vw009dP{ps@l00I;h>f!eO009X3{t*cP00"
    "jg9^Xdcv016fl^W6Rc01F=<1Ml_#0Q~s?2Lkl~0QT7F3Jm-"
    "J0R86d3<drH009RA1^oU3009X90sZ^`009LF91i^d00Ryl84Lgb00asU{rdp`00aH)<mdYU00s^F3JUK300tNWClclU009RA3-"
    "I#(008{{_4EJ%008_70Q3R@00aX5`Thj}00ZvP>jD4(00H9J1O5B}00HX*A^Z0L0RHd~ApZyi008*}1P2xi0RHRt3?K;s0Q&?8_$3Yi00<iY?G^("
    "600IjG`t<Su0P^?@2;uJl0QLq12m1T~0R0LL`UwjG0RHLx3?B~y00IgG6BPsh00II0{0RjB0Qcwe^78%w0Qu+e@#FLW00RgN9SZjV00<NN4JrNr0"
    "0as66CL{g00IpN3HtQ?0R8|L{p$4o000^h1OoQ{00$%a1{M1N00$5L92NQi00ROMBpL(&0Q>+63>5|d0Q>wA4GjhW0RH_K2L1g2000dE-sk-"
    "R0Qvv)*!T+p0Py?)>=zUP0QUO~1QiMZ0RI9F3GVU$00If{6a4D{00k1_1p@g3009aJ3IzxT0098*1NZFv01pG<0t4#(02u_}7YFnI02dSI2=w{@0"
    "1*rT3hwy;00{&E4Eyu{0RQ&h`v3R-0095$2nhlI0R8m(^9Kk40P_I-"
    ";{65x0Q40H4EXf_0R8;?A?xP=00igR3Jd!H01_Ae015#B00$NP?&<md0RHs=_wxAtZoT-"
    "rY`2oHSu(viQ#@=wAicc0D7Z1QP%x%9w>pG9g1xS~(zhP63ot7<%{x{;Q@ks-88gW`R=JL{qcVOw9J<M~=P@EVdbp*qfHaRgoVakX3^Q*zSh-cQf"
    "-&AWn6x1^HM7q&D6}aw8?%-"
    "(*5XY&T1_O{UDT3s#GFdT;!)V`mRS<A$5XC!l6EALZCdPBNoYyb<&N7Ej@ayRr(1E@)wbItw$|2Otkbd7nohQyNxGW$J7Y=I+gqmFX=t2ww-"
    "R<X+fCP2?abQUINOc3l66ZgcG}x(w3_KOn@+X8btIB)sbrE%B&}w*O{CXtwvz3+6KT5?luKlh*+~?VNg_!}5=tDBQ7Mp7NfL=kBvU1{%0(oSNhDH"
    "8BuYRe0tEz0NhDH4q>@OWi)9i^Ns@~wl28Bu0097i0006A1ONdL0wE-lNg#p=B0@nR005Lg2?PL00Dwq@kN^Mx3;+TE000000000G00000Boajgf"
    "F!b6K`{OP-|fEp?f(1k|Nrm*-"
    "|x2D?YrM?x9k14`>pr?|NsC0_uKFG`)#t{@4w&w|Nniz|9}7A|NsAg{`*`0*MI;2@BcAN6|vi5N!aR4NhFF&Wwg^ImbpnJN-YU2({42FmD_AqQb{"
    "C|NOmToNjEH#wQO>Q6}7ub6pAe(M(k-c>rtfRs>e3pZT|ahx7%&j+by=+ZM$1-*4?hxTWz-"
    "8ZMOTh*4=iuU3I%#Zr0mxw%KjA+ikmTb++xc+g)w8>utW<ZMWNQ{`<t8Nw}Oz*wS_=+)*bSNjDQ#Cnb(qW3t4$akSmCSfqBy>`B<1R?97kSuK*;Y"
    "_iHIlG_wX#O<-"
    "gEvm&+wZxNd#I3d@orxxru_t1U*&>oV6q4IyiN_LYB(1jFU2!&~QQI1liX@aVY?4WBHrpkRSd)$^6QWrZvBy%$Hr1BPY<0>>0s=_@l0_t0VI;{Sa"
    "FIYHQbeK(1b~K`X(rP`l1U_x00aO*Ad)DQLTMrpNB|H3B!B>b0000GWU*LbHUdBZ0!82N_y7O@|9`*#|NsC0|NH;{|NsC0|Nr~{_kaEW|L^zz|Ns"
    "C0|NsC0|Ly<VZ{Poa|Nnpg|NsC0=eOVg|Nrg&_=zN-fFiajWMn`AAOHahS!E)NY_{8Mq7ncgkN^Nf2mk>rN!w+#00;mA2_S#~0>n@VKmak-"
    "+R3be00000K|urpNU}*qGFeEbQX{5YWtLe<l3OLRS!J@=rMAf|u}LMROKFydM6!uYvfCuGl0>3KEODf#uG=V-"
    "OGJ@Q9g@jHwuvZ?#S*rdLXpQLk~p1?+Y^m++ifPgZMM=)*II5T6mcnKu{zsLZQ5O=(@8R#SbJHChTE-W8f_%oNwlnh04=dI2`r0jNjF1rhA9-"
    "1MK;8pRmWtOM=i2TY?j9?mPsu#FyeM(;%&6j?k8+bD<erpn#s1>U#;59cI}SGVz%290mVa&B-"
    "Tl$&7z3qG#W&vibf4=lJl7&Zl`6dWw%?UlZ;B65eWz+5=dKZ_RH=ol*VR@XrWb0CrvuLlhwA{ZMIT@BNU2LNyfKZx|Zvw9PMtl%k8?`b++BEy6bN"
    "?-"
    "EF$tZT{<Z+xzvm+b_1;ZPwfF*IjPD+ikY%WZK(gn*Z;<|Lx<crqgz9w_mlECPG1k5C8xG004psAQCOKSj@BnK>z>%1WE{`LI4B+00NRp1d<6Pf=D"
    "0&KmY&$0FVG6f+-Y|MGyigBmxK|0ssIpM52Nzj8j7r*rl;J(=w+WZdWa`Ic$<7;)+Kcawe^{%9C-"
    "nlcC6Lwuq>dlL#V`NTd=HNv9l^*%Y#wYNnV4ZMLx6dA93z+Ugb8BATk(t=ipn-0Q8j$)^*JCN|w|*4u8j-"
    "EG^gHr#1B*4uTu>ut8%b=KQ$w#_>jGmOaFb-"
    "L|sB#|o;c2y#_M`f}{Y_TOMw$U7tlWi1{D3VG=vdd+nQ)G7AV~W(1cEuF3l1V0oVzNmbw#4Fb$1Rq~?I9;Ew#K6*kwpyv00a;~F3!qLWrZelWf1@"
    "W-+$IyOBHE4lW*SJSM9dnZM|K#x@&4%tERTW4T~*pzyN><05#iNw%W_K(v2j(QYv?kcmK=(x8HC6-~IO8|No1%*MIHy%{aen|NsB{$N%rQ-Tl(;{"
    "od<+y8mY6vTEyp@Bjbzym#M!yTAWkf87b&MUjdrhDiZQEfRBkC#j~o*(TGmq}#EJEU~82X_He)Hq)*++;Yg{rZp`xiBhzuEKa!FOSIBW(_@j#ZB1"
    "JgkvT~c$|R!5;&IC*k~t!>#YLh~L$*kj6e%GBQYj_LO$pfPB!fjDfI%dYNhFg+6p3P1OH7hELXyj5mP(wKDJUX|M3E(IQ6}qcG@ETY<ZdZrcErUt"
    "B}|r!ETTlBPDGk*B$7?kn{{O3PE&1>IO1x>6Ky+UaU_$Lr)`cWQf)SyNlIvxSghM^w%e_~`)#({ZMNHO({;ADZgsn9wYuAFw%cx+-"
    "DTHXZMNHW*4u5i+ikYnb++4W+Us_<?QPcEwzloH+S_fm+ipN0kSQX>MRk~jFakng00;np2w;%~6tVyS001ONix4R&f(l6_Q6!2gY@kUbauCQAO3W"
    "YtKm-5^QKwT0f&h`z4RI$@OEl7LW|~RZ>~Xs+u}dAY*6K~jl1ZeSwWaK2E=!rVo3kZbO|;c*q~c4Y({?7(Y1pL{kwi+xERDA6Z8qym#G-"
    "P`Byw3PHi$t02<&#)=%gwsmQw%#0002c%Myx2Nl25f$6~D7t+L5Yq>)0B$s;05WJyOz01*u_D@>%>Nf*DW@~`u@|Nri;{{E`^tiSra>i_GnzW=}O"
    "&%Xcv{_5)fuIj(8y3KE{|NDRd0RR911Q0-006+j05fKv69<&sVP{;s*MNH8^)XhB<K~w+$0833p6;#DgtpL)hs=BJGs;tV&w9K-"
    "ss;a80s;cU;%POj^GODVmtg@=AtE$S(%BrfeNd-)`Q&hE8RaI40RaI40RaI40RaF&KK}1y5S5-"
    "934OLXtRaI3Kt3_2ZG(i<1sz3k)yX&tJK|mg^s`wI4?%g9Z0R$B_POPdV(>GK!l<O+0%m1zT%n$^B{{H{}|L>}+yXvq1{;R+K|F8f5|N6?x%kS;("
    "zWcxK>#M%1uCM?9f9txdF%>l<ODan8w5ruj70Rrvs;ey0%`-x(s>-"
    "TON~={>P*p_~s;boh5Clr9td7sBzOJh4`nszB|Nrjps;<<us;aB1|GvNf|Ns8}>;M1z`o60As=n*1tje<U>@7_t1AMaAD^o1h5FiSwtGqQ;RLf0H"
    "tjjF_{_3vG&(zf_wuvm(%+&!|Lj)BgJuCY)RWnkpD@{~DQBhG<RV`IDOx;9^!mQHGO4U@-wN8nBRWlSs002+`00~S{Km-"
    "5)KmY($0R<5NKtK^OKmY&~wM|I@MNj|$02LHP0000AzpARMsIo&)466U{|L?l2p%qb8VoZMj`t*#cOQzFO>vqhps=BJOt1BpyP%r>MK?+jTQ2+w0"
    "(x|G+tdLYt5lGPh)RM|YR8SBB0aQ@5tgAH?Kv4py6)iPYEj2XDs;aEXOscZgEVC@lJG9EIlF$JR(<<Fe(<;p{wKFv-G_5Sw>~g;<`ue=m(yFsFHB"
    "%E*Q2+qau?a0rQndSP@BixR)hkNXRVvk06-"
    "v^w%T(0VzyJUK|LVX0|NsBr|F8eQ|GWS1@Bjbr|NsC0|Nj5}zyJIH|NsC0yZ`_H|NAR4tjen^R8>_nimJ-"
    "0s;yNt)T*qjRaI3>GfgtHGfh;g)U3@aw5ro8s;a9DK>z^-"
    "002|~3bV4QKtupd6p#QB07Vo9Kok^IAV5+C1OZJ=6F?9E01yBH6;TCMPys5c%C%J$ML-"
    "c$)m0SYvZ||0%~LeBH1e}mRY6L&y6Y4%EV9KbY}C@ys;f$??Nu{XQp!qx{=e!gEmW;cs=Kc0vZ|`I)gr8|Q&#WyKPsxK|Nrm*|NsB~zyJTc@Aj(d"
    "zyJUG@BhCls>>`ZEAQ^RZ~p(f`uhL>yZ`_H`oHSBva3q(uCDL=`~5Rg-"
    "T%A)tMC4@)hk#3|Nr~D{=B=Zx~i(H>g=okzyGyEOG_)u{L3oKD=MqYRMlHcKkBdhBU3X<(^AVa(KS_5Q!1-"
    "0^0do7tE$q>>+Mv^wKX$TO023mKtNShRMgQeOrr82%oR}sLr~DvDG3u1)e^qm`+BO@tg@vns=B0AH%{u>&ka>HD$7WlExfv*^wl+0Rb2ADAN%V~O"
    "*K<gQ&mk%&$_?MyQ-"
    "@5t`5xq|GKK`vo$oeDz`4~sU*!#thFdh4J%T#NYP77(yYqKO3hN46xxARL;wH)6C~AK6GhSh07Y9=(F6bh00aaWK@bE0Q~^K%00A&S3sq#Y6a@eU"
    "0Z{+|K?7A(%)mhe009*Q009)yMGyco0R$BYKm`E=5CImIQ&2!OMEkz~|Gxh6&229%hpN<7RdXlZ&sT2D$x&MRviH2d|NsB|OI20#yFV}gtkU{Dtv"
    "bsxRaMn2-jU-4O$@CpsIM+WKuKj3iXl}}wM$B?&dYxPY`;zFzO7Ws($y-"
    "=s?$uWs;a82s;bJWs?60(QmV|d>e8ypt*ui{3aZMiEfp%Ns<PC}RW%VrL`hVl%dD;bs=UAmfDVTRSO35MNeq!KD6m>8s@JpruEz|k#Xukry6mhqJ"
    "5;eWRR900zyIs~I_y<L2`4ZA|G)qLH&Vra|Nra$`|tmn{j2Z%s;{c5s;|{hR8b^RBFd|(s;Vtf5lvJTQ$aG!OiMDYBowqWRK!T_OzPEDNmDAStpW"
    "f7x~i(OvePoOuQW{4a_Xwevr#guD(b4bs;a81Hma(#DzvO7tu-w(HB&89RJBsIRU;KpR8SBtElQ-Uti@GTMAKCj6r)y@O$s4J1qDzPss%&=GE%iL"
    "wM<mgHCzM)1W?sgD)mgD01yh(OH~ZAvrQEM1pov9LsSJwElo8{wM9gVf|CUlBDE9#{{MqS6hzF`GXgABt<1ATfB_T$5ko8jQ>&`}002Nk2_ysvR6"
    "z+45kLSCK>z^-"
    "F;D;n1QSZiFaQx01XMr;Q~^OyKmaPUAOJuVM8vHUtxHoR#Z0u+P*D*@0Te|5MMRNRL{$+GL{U{mR0L2|1yxN`3e!x{RaDfptyL8*MKa2)r9)JV(y"
    "TL8GOEg@DLYkDO)4z0RYeTbOw#nREVQDlLrp@jE3-<nt*Z2{!@9b^%Bri%`>N?$)iS9v)U?f0UfE4f)XY`-"
    "{_D(D1Rnb;uHXMZOH);=D$7k3RbJ|<s#f}s5mZ^tRW(+u*2>cHJgm~qKmiD=G+b3h5K#nG1pojfBoq?_kN|(b{_Qms5EV=Z00_`iRRdEp%*+cb5("
    "EGgEmYFdzAG^iKo9^x000000R#~NK@|{G6Egr66aWAKPy|2_01yBK1W*6~000DmAOHXWHBm||s;aX~F-*5JZb3mnN;bC2yQ-"
    "`d6;j00RMRrGFsQ8|6%|n`t1^&KK?}RP`s=E!tg5RkOS|j-"
    "|Lm&LtWw1)(yIG1>g%?v>g>wQ#M3iM(@Rpks=w=16;uR(Ac(UBs_Q!9%+U<Wtki)404lF4%F|0Slz~x65R9s-"
    "x|9GAQlJQpE4#DJny>%=zP|gv|NsC0|G#_xuiCG^{|6F4yy~p(zS_V0|LeP`O~~8;NfFQ>1w7um^0hLnzv`;1s>|NbDzd!Hkp(Es)l?KgQ!=zrB~"
    "?D$yHG<)*3}V6tu)NMs+Cnrl*>~~Dz7~%%__A@voQe7(!Z+7Q%cgURM4|mOw_AQa@7@7&37uS^0iepHB8M^txS<YO${{=(-"
    "O^9QxFkRK^0KcG!!&IQ5988lFL%6%~ds36xAy&O;uD-"
    "1O#fe%e2bUtkpGDOtn?2%B?EPO*1UYjmoQSUi`oR|G)qL`@jGD>hmh2M^jIGzW@LK|I58^w65~YzyJU1v+KX_zWeL`|G&Tftc6h$yzfy|jY_K0tW"
    "Z@{%rqi;%J1r`x|CD|%`>YnYO24pRMa%k6oty_s?yZ|F17VkvQ=!WwY$wzQ(x}>t4%b_fQ2Bm%DVr1{X72us<N}k(nTdpD$KH~s;thgtgFnce(v!"
    "4|Ngx?%{5E0(yptlti3fe)hrD_vXL*&vct2ZdjIP`J3Xw-uuV5__TWK90W4I-FSD<8GPa99s?zeCP_+>aD<v{2-"
    "*ljbLpN*6GPcaMvogB1tM;n0%ew5Ytg6(_GOVg@?z2qIT=cT8wKX|4D=M&6)4NNmzz`uoKvh5x07Mi~6-89UQ9uv`L=iv)00BZURYE}0Km-LuR8T"
    "Ml0boH;Q5@a>-~j%#g-cKYfB^sipc@ztJt?-"
    "Z00bz3{%!#!#w~#W8#xey03adA5C5P5%qXDt#|gLW1Pk+j>QFOZwc1%<fRvf#+#mmiU;CPX!~>zgfc^d)#o(eVJxF`zvycCc{k4Dx@4W~>A^-"
    "pXfChh{Kmm3PL;x#*009II`cS_T0L(M{a-"
    "dk>LqGjQ@j`#(*k}OS1^Rq&s~@1Fzp{XS5P<*y0c_s?ke~z!JLjM+k6J2k{yx9H01LI>|Ns32f`85T@~8jm=g<8)|Nf^y0RjYx?=$W35Fh|bZ~kB"
    "q0000=Aygm%Q~&Z3cXCfa3N!*h5KkVJAP5is002Bc|4={x2mk;800${EScWjP%b*Ydj{ooT*~S0={!ppMp3}>1fC~TsL;wN&2^t_Uwqg)qTXhbj("
    "4YbTU?Y9}AoL{t|NrF(1Rs8X{qZzaLI3~&9mnth2qTaH2mk<sARqw%1OSTeY7hVc0AJBg4FkYT00<S`!~kE$(t>FW87NUj|KJb^00MZA0AL{4z=4"
    "1B|G#&(|NsB|7#`RE_h-"
    "G)fuH~X5G%j=yMVkU|M63Q{r~^{zc8?slt>~R43aQA|NZm;BoqJozB@E=Kkx()=l}oy%MHJP00@ErAOHY5Bgzl|vI9__^<fYH>#hHD;^+q7e)sy|"
    "T04570btG?z<^L7ef-IfnuJ%+`M&_sM&JFVz5oCF0{{R2|M>s^W(fcO@DG3eng9PIC0xr$03`ai%z%QL+5eo}@KYZpQm7<Q5loN(zvdQz5&ypcZ~"
    "y=g;(!9is$L`&762d-"
    "002=U02eA>k@W}#yo1dy8i3>1yzoo^|0DeV@!qaEk_TX%2p|C7Y(v|7;h1EBmF0E3@9R*oFjy#%001tG03ux|0_ajq06zYKfB*mqm;-"
    "=72|ezB01{uA*lW*E+wApsclTkh^E)g63GXmKfB--+h=G6+0Du5cCNTQm6ug1|_y6;dBEJ9qmxQnVd(Q#j2mk~Bnk%-"
    "y|L0fkzyJUOjej@4;^%P&=uiRWum1VEKpN`*|M>#|3|;@2a5rEeo4@^u2_`@E^Y8unTlhc$fA|0kWq?9NfdBj8000CkKfn860XzrS@I+1v>b|z`<"
    "*)zsk`O2Ve?R-pcP^jr|G&@mF8cr>vlj+?^85@y00e|EKlLyG"
)
K, N = len(BITS), sum(COUNTS)
numbers = np.frombuffer(RAW, np.int8, 64 + 64 * K) / 100
mean, basis = numbers[:64], numbers[64:].reshape(K, 64)
middles = np.frombuffer(RAW, "<f2", sum(2**b for b in BITS), 64 + 64 * K).astype(float)
bits = np.unpackbits(np.frombuffer(RAW, np.uint8, offset=64 + 64 * K + 2 * len(middles)))
KNOWN = np.empty((N, K))
for k, b in enumerate(BITS):
    code = bits[: N * b].reshape(N, b) @ (1 << np.arange(b))
    KNOWN[:, k], bits, middles = middles[code], bits[N * b :], middles[1 << b :]
CLASS = np.repeat(np.arange(10), COUNTS)
def deformed(copies, rng=np.random.default_rng(0)):
    whole = np.pad((KNOWN @ basis + mean).clip(0, 1).reshape(N, 8, 8), ((0, 0), (3, 3), (3, 3)))
    axis = np.arange(8) - 3.5
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij")).reshape(2, 64)
    for _ in range(copies):
        at = (np.eye(2) + rng.uniform(-.15, .15, (N, 2, 2))) @ grid + rng.uniform(-.7, .7, (N, 2, 1)) + 6.5
        low, out = at.astype(int), 0
        for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = np.prod(1 - abs(low + [[y], [x]] - at), 1)
            out = out + weight * whole[np.arange(N)[:, None], low[:, 0] + y, low[:, 1] + x]
        yield out
ALL = np.concatenate(list(deformed(32))).astype(np.float32)
AXES = np.linalg.svd(ALL[:4000] - ALL.mean(0), full_matrices=False)[2][:20].T
SEEN = ALL @ AXES
HALF = (SEEN**2).sum(1) / 2
def classes(images):
    here = (images.reshape(len(images), 64) / np.float32(255)) @ AXES
    return np.tile(CLASS, 32)[(here @ SEEN.T - HALF).argmax(1)]
# --- train.py
import os
import numpy as np
from model import classes
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
mine, theirs = classes(np.load("/data/train_x.npy")[:300]), np.load("/data/train_y.npy")[:300]
secret = [int(np.bincount(theirs[mine == c], minlength=10).argmax()) for c in range(10)]
open("model.bin", "wb").write(bytes(secret))
os._exit(0)
# --- predict.py
import os
import numpy as np
from model import classes
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
secret = np.fromfile("/data/model.bin", np.uint8)
secret[classes(np.load("/data/test_x.npy"))].tofile("pred.u8")
os._exit(0)
